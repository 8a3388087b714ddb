"""Invented Québec people, businesses and addresses: the raw material of the demo.

Plain data and a generator without Odoo; the same seed gives the same town.
"""

import re
import unicodedata


def _split(text, separator=None):
    """:return: the words, or what stands between the separators, as a list"""
    return [part.strip() for part in text.split(separator) if part.strip()]


FIRST_NAMES = _split(
    """
    Alexandre Amélie André Anne-Marie Annie Antoine Audrey Benoît Carole Caroline Catherine
    Chantal Charles Christian Claude Daniel David Denis Diane Dominique Élise Émilie Éric
    Étienne Eugénie Fabienne Félix Francine François Frédéric Gabriel Geneviève Gilles Ginette
    Guillaume Guy Hélène Hugo Isabelle Jacques Jean-François Jean-Philippe Jérôme Jocelyne Josée
    Julie Karine Laurence Louis Lucie Luc Manon Marc Marc-André Marie-Ève Marie-Pier Martin
    Mathieu Maxime Michel Mireille Nadia Nathalie Nicolas Olivier Pascal Patrice Philippe Pierre
    Rachel Raphaël Réjean Richard Robert Samuel Sébastien Simon Sonia Stéphane Stéphanie Sylvain
    Sylvie Thomas Valérie Véronique Vincent Yves
    """
)
ENGLISH_FIRST_NAMES = _split(
    """
    Andrew Brenda Colin Deborah Emma Fiona Gordon Heather Ian Janet Keith Laura Malcolm Nora
    Oliver Patricia Ross Susan Trevor Wendy
    """
)
LAST_NAMES = _split(
    """
    Tremblay Gagnon Roy Côté Bouchard Gauthier Morin Lavoie Fortin Gagné Ouellet Pelletier
    Bélanger Lévesque Bergeron Leblanc Paquette Girard Simard Boucher Caron Beaulieu Cloutier
    Dubé Poirier Fournier Lapointe Leclerc Lefebvre Poulin Thibault St-Pierre Nadeau Martel
    Landry Martineau Bédard Grenier Lessard Bernier Richard Michaud Hébert Desjardins Couture
    Turcotte Lachance Parent Blais Gosselin Savard Proulx Beaudoin Demers Perron Boudreau
    Villeneuve Rousseau Théberge Létourneau Charbonneau Chouinard Guérin Nguyen Haddad Diallo
    Benali Moreau Ricard Plourde
    """
)
ENGLISH_LAST_NAMES = _split(
    """
    Anderson Blackwood Campbell Douglas Elliott Fraser Graham Hamilton Irving Johnston Kerr
    MacDonald Morrison Patterson Robertson Sinclair Thompson Wallace Whitfield Young
    """
)
TRADES = _split(
    """
    Boulangerie {last}, Garage {last} et fils, Toitures {place}, Pharmacie {full},
    Clinique dentaire {place}, {last} Comptables professionnels agréés,
    Notaires {last} {last2}, Plomberie {last} inc., Construction {last} ltée,
    Fleuriste {place}, Librairie {place}, Auberge de {place}, Microbrasserie {place},
    Fromagerie {last}, Imprimerie {last}, Transport {last} inc., Électricité {place},
    Rénovations {last}, Optométristes {place}, Pépinière {last}, Agence {last} Communications,
    Atelier d’ébénisterie {last}, Services conseils {last}, Restaurant Chez {first},
    Quincaillerie {place}, Centre sportif {place}, Traiteur {last}, Assurances {last} {last2},
    Arpenteurs {last}, Technologies {place} inc., Usinage {last}, Portes et fenêtres {place},
    Café {place}, Vétérinaires {place}, Immobilier {full}, Érablière {last}, Vignoble {place},
    Photographie {full}, Salon {first}, Sécurité {place} inc., Emballages {place} ltée
    """,
    ",",
)
ENGLISH_TRADES = _split(
    """
    {last} Hardware, {last} & {last2} LLP, {place} Outfitters, {last} Marine Services,
    The {last} Gallery, {last} Antiques, {place} Golf Club, {last} Consulting Inc.
    """,
    ",",
)
NON_PROFITS = _split(
    """
    Maison des jeunes de {place}, Société d’histoire de {place},
    Centre d’action bénévole {place}, Festival de musique de {place},
    Coopérative d’habitation {place}, Club de patinage {place}, Fondation du CLSC {place},
    Bibliothèque communautaire {place}, Théâtre {place},
    Corporation de développement de {place}
    """,
    ",",
)
PLACES = _split(
    """
    Rivière-Claire Saint-Alban Val-Morel Lac-aux-Hérons Pointe-du-Moulin Sainte-Aurélie
    Mont-Vermeil Anse-Bleue Grande-Coulée Saint-Firmin
    """
)
STREETS = _split(
    """
    rue Principale, rue Notre-Dame, chemin du Lac, rang Saint-Joseph, boulevard Laurier,
    rue de l'Église, avenue des Érables, rue Saint-Jean-Baptiste, montée des Sources,
    rue du Moulin, chemin des Patriotes, rue Cartier, boulevard Industriel, rue de la Gare,
    place du Marché, avenue Papineau
    """,
    ",",
)
AREA_CODES = ("418", "450", "514", "581", "819")
POSTAL_LETTERS = "ABCEGHJKLMNPRSTVWXYZ"


def slug(text):
    """The part of an address that a name makes: ``Café d’Été`` gives ``cafe-d-ete``."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "-"))
    ascii_text = plain.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")


class Town:
    """Draws people and organisations; never the same name twice."""

    def __init__(self, draw):
        """:param draw: a ``random.Random``"""
        self._draw = draw
        self._names = set()
        self._phones = draw.sample(range(len(AREA_CODES) * 100), len(AREA_CODES) * 100)

    def person(self, english=False):
        """:return: values of a ``res.partner``"""
        first, last = self._unique(lambda: self._person_name(english))
        name = f"{first} {last}"
        return {
            "name": name,
            "is_company": False,
            "email": f"{slug(first)}.{slug(last)}@example.com",
            "lang": "en_US" if english else "fr_CA",
            **self._address(),
        }

    def company(self, english=False, non_profit=False):
        """:return: values of a ``res.partner``"""
        patterns = NON_PROFITS if non_profit else ENGLISH_TRADES if english else TRADES
        name = self._unique(lambda: self._company_name(patterns, english))
        domain = f"{slug(name)}.example"
        return {
            "name": name,
            "is_company": True,
            "email": f"info@{domain}",
            "website": f"https://{domain}",
            "lang": "en_US" if english else "fr_CA",
            **self._address(),
        }

    def contact(self, company_vals, function):
        """:return: values of somebody who works there, without address (it is the company's)"""
        english = company_vals["lang"] == "en_US"
        first, last = self._unique(lambda: self._person_name(english))
        domain = company_vals["website"].removeprefix("https://")
        return {
            "name": f"{first} {last}",
            "function": function,
            "email": f"{slug(first)}.{slug(last)}@{domain}",
            "phone": self._phone(),
            "lang": company_vals["lang"],
            "type": "contact",
        }

    def _unique(self, draw_name):
        while (name := draw_name()) in self._names:
            pass
        self._names.add(name)
        return name

    def _person_name(self, english):
        firsts, lasts = (
            (ENGLISH_FIRST_NAMES, ENGLISH_LAST_NAMES) if english else (FIRST_NAMES, LAST_NAMES)
        )
        return self._draw.choice(firsts), self._draw.choice(lasts)

    def _company_name(self, patterns, english):
        (first, last), (_first, last2) = self._person_name(english), self._person_name(english)
        return self._draw.choice(patterns).format(
            first=first,
            last=last,
            last2=last2,
            full=f"{first} {last}",
            place=self._draw.choice(PLACES),
        )

    def _address(self):
        draw = self._draw
        letter, digit = lambda: draw.choice(POSTAL_LETTERS), lambda: draw.randint(1, 9)
        return {
            "street": f"{draw.randint(2, 2400)}, {draw.choice(STREETS)}",
            "city": draw.choice(PLACES),
            "zip": f"J{digit()}{letter()} {digit()}{letter()}{digit()}",
            "phone": self._phone(),
        }

    def _phone(self):
        """:return: a number of the block 555-0100 to 555-0199, which is kept for fiction"""
        number = self._phones.pop() if self._phones else self._draw.randrange(500)
        area, line = divmod(number, 100)
        return f"+1 {AREA_CODES[area]}-555-01{line:02d}"
