"""What a column of a list can mean, and what it is called in English and in French."""

# by target (labels: see column.py), in words as ``normalize`` gives them
TARGETS = {
    "external_id": (
        "id; external id; external identifier; contact id; identifiant; identifiant externe; "
        "id externe; record id"
    ),
    "ref": (
        "member number; membership number; member no; member id; numero de membre; no de "
        "membre; numero membre; no membre; matricule; reference; ref; mitgliedsnummer; n de "
        "membre; n membre; numero d adherent; n adherent; no adherent"
    ),
    "name": (
        "name; full name; contact; contact name; display name; member; membre; nom complet; "
        "nom du contact; nom du membre; nom et prenom; adherent; nom et prenoms"
    ),
    "first_name": "first name; firstname; given name; prenom; vorname",
    "last_name": "last name; lastname; surname; family name; nom de famille; nom; nachname; family",
    "company": (
        "company; company name; organization; organisation; organization name; employer; "
        "societe; entreprise; compte; nom de l entreprise; nom de la societe; employeur; "
        "account; account name; nom du compte; firmenname; firma"
    ),
    "is_company": (
        "is a company; is company; contact type; type de contact; est une societe; est une "
        "entreprise; personenart; firma ja nein"
    ),
    "email": (
        "email; e mail; email address; primary email; courriel; adresse courriel; mail; "
        "adresse de messagerie; adresse electronique; user email; haupt e mail; mail address; "
        "e mail address; adresse e mail; adresse mail"
    ),
    "phone": (
        "phone; telephone; phone number; tel; numero de telephone; business phone; mobile; "
        "mobile phone; cellulaire; telefon; telephone number; cell phone; cell; portable"
    ),
    "street": (
        "street; address; street address; adresse; rue; address line 1; address 1; strasse; "
        "adresse ligne 1"
    ),
    "house_number": "house number; hausnummer; numero civique",
    "street2": "street 2; street2; address line 2; address 2; adresse ligne 2",
    "zip": "zip; zip code; postal code; postcode; code postal; plz; npa; zip postal code",
    "city": "city; town; ville; ort; localite",
    "state": "state; province; state province; region; etat; etat province",
    "country": "country; country code; countrycode; pays; land",
    "lang": "language; lang; preferred language; langue; langue preferee; pref lang; sprache",
    "website": "website; web site; site web; site internet",
    "function": "job title; job position; function; fonction; poste; titre",
    "notes": "notes; note; comment; comments; commentaire; commentaires; remarques",
    "responsible": (
        "membership contact; person in charge; personne responsable; responsable; personne "
        "ressource; primary contact; contact principal; responsable de l abonnement"
    ),
    "responsible_email": (
        "email of the membership contact; email of the person in charge; membership contact "
        "email; courriel de la personne responsable; courriel du responsable"
    ),
    "renewal_email": "renewal email; courriel de renouvellement; courriel pour les renouvellements",
    "archived": "archived; archive",
    "level": (
        "membership plan; plan; membership level; level; membership type; option set; "
        "ensemble d options d abonnement; ensemble d options; type d abonnement; type de "
        "membre; categorie; categorie de membre; niveau; forfait; membership; abonnement; "
        "cotisation; membertypelabel; member type; beitragsgruppe; rollen; membership id; "
        "formule; plan d abonnement; type de cotisation; type; membership plan name; adhesion "
        "type; type d adhesion; subscription type"
    ),
    "date_start": (
        "first day; start date; start; date start; date de debut; debut; premier jour; "
        "membership start date; membership startdate; date from; valid from; du; debut de l "
        "abonnement; starts; date debut; valid from date; debut de validite; begins"
    ),
    "date_end": (
        "last day; end date; end; date end; date de fin; fin; dernier jour; expiry date; "
        "expiration date; expires; expires on; expiration; membership end date; membership "
        "enddate; valid until; valid to; date d expiration; date d echeance; echeance; date "
        "de fin d abonnement; fin de l abonnement; membership ends; date to; au; ends; "
        "expiry; valid to date; date fin; fin de validite"
    ),
    "first_unpaid_day": (
        "renewal due; renewal date; renewal due date; date de renouvellement; next renewal"
    ),
    "member_since": (
        "member since; membre depuis; join date; joined; date joined; date d adhesion; "
        "adhesion; eintritt; membre depuis le; member from; since; depuis"
    ),
    "status": (
        "status; membership status; state; statut; etat de l abonnement; statut de l "
        "abonnement; etat de la cotisation; statut de la cotisation"
    ),
    "amount": (
        "amount; total amount; amount paid; fee; price paid; montant; montant paye; total; montant "
        "total; montant de la cotisation; member price; prix"
    ),
    "agreed_price": (
        "agreed price; prix convenu; individuellerbeitrag; custom price; prix agree; prix "
        "particulier"
    ),
    # not “options” alone, which other systems use for all sorts of things
    "options": "options and prices; options et prix",
    "auto_renew": "automatic renewal; auto renew; autorenew; renouvellement automatique",
    "notice_date": (
        "renewal notice sent on; notice sent on; notice date; avis envoye le; avis de "
        "renouvellement envoye le; date de l avis"
    ),
    "renewal_state": (
        "open renewal; renewal status; renouvellement ouvert; statut du renouvellement; etat "
        "du renouvellement"
    ),
    "balance": (
        "open balance; balance; balance due; solde; solde du; solde ouvert; amount due; montant du"
    ),
    "date_left": (
        "left on; resigned on; terminated on; date of leaving; date de depart; date de "
        "demission; austritt; fin anticipee le; ended early on"
    ),
    "date_deceased": "deceased on; date of death; date de deces; decede le; sterbetag",
    "owner": (
        "included in the membership of; inherited from; inclus dans l abonnement de; rattache "
        "a; owner; parent member"
    ),
    "bundle": "bundle; member bundle id or email; groupe; forfait de groupe",
    "enabled": "membership enabled; has a membership; est membre",
    "exempt": "exempt; exempt from fees; exempte; exempte de cotisation",
    "term_id": "term number; term id; numero de la cotisation; subscriptionid",
}
# Numbers that are names: nothing is counted with them
IDENTIFIERS = ("external_id", "ref", "term_id", "owner", "bundle", "phone", "zip")
# Dates are held against each other to find out which number is the day
DATE_TARGETS = (
    "date_start",
    "date_end",
    "first_unpaid_day",
    "member_since",
    "notice_date",
    "date_left",
    "date_deceased",
)
YES = {
    "yes", "y", "oui", "o", "true", "vrai", "1", "x", "ja", "j", "si", "mor", "company", "societe",
    "organization", "organisation", "entreprise", "business", "compagnie", "organisme", "obnl",
}  # fmt: skip
AGREED = YES | {"agreed", "convenu", "convenue"}
# what a word for a status says of a term; what it does not say, the dates do
STATUS_WORDS = {
    "pending": "pending; en attente; waiting; invoiced; en attente de paiement; unpaid; impaye",
    "new": "pending new; pendingnew; new application; draft; brouillon; 1 draft; nouvelle demande",
    "renewing": "pending renewal; renewal in progress; pending level change; pendingrenewal; "
    "pendinglevelchange; pendingupgrade; pending upgrade",
    "over": "expired; lapsed; echue; echu; expire; expiree; over; old; inactive; inactif; ended",
    "cancelled": "cancelled; canceled; void; annule; annulee",
    "left": "resigned; resiliated; resilie; resiliee; demissionne; terminated; left; excluded; "
    "exclu; exclue; demission",
    "deceased": "deceased; decede; decedee; dead",
}
STATUSES = {
    word.strip(): status for status, words in STATUS_WORDS.items() for word in words.split(";")
}
# words that say no more than the dates do
DATES_TELL = {
    "1", "active", "actif", "current", "valid", "valide", "validee", "validated", "upcoming",
    "scheduled", "a venir", "paid", "paye", "payee", "free", "new", "nouveau", "nouvelle", "grace",
    "renewed", "renouvele", "renouvelee", "en cours", "en vigueur", "a jour", "en regle",
    "in good standing", "approved", "approuve", "approuvee", "confirmed", "confirme", "confirmee",
    "member", "membre", "aktiv", "none", "lifetime", "a vie",
}  # fmt: skip
ALIASES = {}
for _target, _names in TARGETS.items():
    for _name in _names.split(";"):
        ALIASES.setdefault(_name.strip(), _target)
# beside a column that says the same in so many words, these mean something else
VAGUE = {"type", "total", "ref", "reference", "since", "depuis"}
# what a column “Type” says where it is not about plans
KINDS = {
    "company", "person", "individual", "organization", "business", "entreprise", "personne",
    "societe", "particulier", "individu", "organisation", "organisme", "compagnie", "obnl",
}  # fmt: skip
# a renewal that the other system has asked, or is about to ask
RENEWAL_WORDS = {
    "draft": "draft",
    "to send": "draft",
    "a envoyer": "draft",
    "sent": "sent",
    "envoye": "sent",
    "change requested": "change_requested",
    "change_requested": "change_requested",
    "demande de changement": "change_requested",
    "intervention": "intervention",
    "intervention required": "intervention",
    "intervention requise": "intervention",
}
# what it has the answer of, or has given up: only the staff can say what that means here
ANSWER_WORDS = {
    "approved", "accepted", "renewed", "declined", "refused", "cancelled", "canceled", "void",
    "approuve", "accepte", "renouvele", "decline", "refuse", "annule",
    "approuvee", "acceptee", "renouvelee", "declinee", "refusee", "annulee",
}  # fmt: skip
