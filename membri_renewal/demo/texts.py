"""What members write and officers note, in the languages of Rivière-Claire."""

# (French, English)
CHANGE_REQUESTS = [
    (
        "Bonjour, nous sommes maintenant 12 employés. Pouvez-vous ajuster notre cotisation et "
        "retirer le forfait de petits-déjeuners? Merci!",
        "Hello, we have grown to 12 employees. Could you adjust our membership and take out the "
        "breakfast meetings? Thank you!",
    ),
    (
        "Merci de modifier l'adresse de facturation: nous déménageons au 45, boulevard Laurier "
        "le mois prochain.",
        "Please change our billing address: we are moving to 45, boulevard Laurier next month.",
    ),
    (
        "Nous aimerions ajouter l'inscription au répertoire et la visibilité dans l'infolettre.",
        "We would like to add the directory listing and the newsletter.",
    ),
    (
        "Je prends ma retraite en juin. Est-il possible de passer à une cotisation individuelle?",
        "I retire in June. Is it possible to change to an individual membership?",
    ),
    (
        "La personne responsable a changé: c'est maintenant notre directrice générale qui reçoit "
        "les avis. Pouvez-vous m'appeler?",
        "The person in charge has changed: our general manager receives the notices now. Could "
        "you call me?",
    ),
]
INTERVENTIONS = [
    "Appeler avant d'envoyer: le propriétaire conteste la facture de l'an dernier.",
    "Entente prise au conseil: rabais de 15 % pour un an, à inscrire sur le renouvellement.",
    "Fusion en cours avec un autre membre: confirmer qui garde la cotisation.",
    "Nouvelle direction depuis l'automne: valider la personne responsable et le courriel.",
    "Commandite du gala à déduire de la cotisation. Voir avec la comptabilité.",
]
REFUSALS = [
    ("refusal_reason_price", "Budget coupé cette année; à rappeler l'an prochain."),
    ("refusal_reason_closed", "Commerce vendu en juillet, les acheteurs ne sont pas intéressés."),
    ("refusal_reason_moved", "Déménagé à Sherbrooke."),
    ("refusal_reason_unused", "N'a participé à aucune activité depuis deux ans."),
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
