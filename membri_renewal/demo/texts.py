"""What members write and officers note, in the languages of Rivière-Claire."""

INTERVENTIONS = [
    "Appeler avant d’envoyer : le propriétaire conteste la facture de l’an dernier.",
    "Entente prise au conseil : rabais de 15 % pour un an, à inscrire sur le renouvellement.",
    "Fusion en cours avec un autre membre : confirmer qui garde la cotisation.",
    "Nouvelle direction depuis l’automne : valider la personne responsable et le courriel.",
    "Commandite du gala à déduire de la cotisation. Voir avec la comptabilité.",
]
REFUSALS = [
    ("refusal_reason_price", "Budget coupé cette année; à rappeler l’an prochain."),
    ("refusal_reason_closed", "Commerce vendu en juillet, les acheteurs ne sont pas intéressés."),
    ("refusal_reason_moved", "Déménagé à Sherbrooke."),
    ("refusal_reason_unused", "N’a participé à aucune activité depuis deux ans."),
    ("refusal_reason_no_answer", "Trois appels et deux courriels sans réponse."),
]
FAILURES = [
    "550 5.1.1 Mailbox unavailable",
    "452 4.2.2 The recipient's mailbox is over quota",
]
FUNCTIONS = [
    ("Directrice générale", "General Manager"),
    ("Propriétaire", "Owner"),
    ("Adjointe administrative", "Office Administrator"),
    ("Directeur des ventes", "Sales Director"),
    ("Présidente", "President"),
]
