from markupsafe import Markup


def as_list(sentences):
    """What a wizard is about to do, said before it is done.

    :param sentences: plain text, in the user's language
    :return: a list in HTML
    """
    items = Markup("").join(Markup("<li>%s</li>") % sentence for sentence in sentences)
    return Markup('<ul class="mb-0">%s</ul>') % items
