"""How a credential is shown elsewhere: its card, the snippet for other pages, LinkedIn's form.

All of it says the state that the credential is in when it is asked for.
"""

from functools import lru_cache
from html import escape
from urllib.parse import urlencode, urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from credentials.card import STRIP, CardFace, draw_card
from storage.vocabulary import CredentialState
from workflows.issuance.artefacts import badge_svg, house_of
from workflows.issuance.queries import CredentialView
from workflows.words import Say, marked, words

LINKEDIN = "https://www.linkedin.com/profile/add"
STATES = {
    CredentialState.SUSPENDED: marked("Suspended: not in force now"),
    CredentialState.REVOKED: marked("Revoked: no longer in force"),
}
REPLACED = marked("Replaced by a corrected one")


def card(view: CredentialView, *, strip: bool = False, ended: bool = False) -> bytes:
    """The credential's card as PNG, in its own language; `ended`: its time is over."""
    say = words(view.language)
    house = house_of(view)
    face = CardFace(
        title=view.title,
        institution=view.institution,
        learner=view.learner,
        awarded=say("Awarded to"),
        day=day_of(view),
        address=urlsplit(view.url).netloc,
        checked=say("Check it at"),
        state=state_words(view, say, ended),
        colour=house.colour,
        accent=house.accent,
        logo=house.logo,
    )
    return _drawn(face, badge_svg(view), strip)


def state_words(view: CredentialView, say: Say, ended: bool = False) -> str:
    """What is wrong with it, in a few words; '' while it is in force."""
    if view.replaced_by is not None:
        return say(REPLACED)
    if view.state in STATES:
        return say(STATES[view.state])
    return say("No longer valid: its time is over") if ended else ""


def day_of(view: CredentialView) -> str:
    """The day it was awarded, in the words of its language."""
    try:
        locale = Locale.parse(view.language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_date(view.awarded_at.date(), format="long", locale=locale)


def linkedin_address(view: CredentialView) -> str:
    """LinkedIn's form “Add licence or certification”, filled in."""
    fields: dict[str, object] = {
        "startTask": "CERTIFICATION_NAME",
        "name": view.title,
        "organizationName": view.institution,
        "issueYear": view.awarded_at.year,
        "issueMonth": view.awarded_at.month,
        "certUrl": view.url,
        "certId": view.id,
    }
    if view.valid_until is not None:
        fields["expirationYear"] = view.valid_until.year
        fields["expirationMonth"] = view.valid_until.month
    return f"{LINKEDIN}?{urlencode(fields)}"


def embed_snippet(view: CredentialView) -> str:
    """HTML for other people's pages: a picture of ours that leads to the credential's page.

    The picture is asked for anew, so a credential that is no longer in force says so there too.
    """
    width, height = STRIP
    say = words(view.language)
    text = say("%(title)s, awarded by %(house)s", title=view.title, house=view.institution)
    return (
        f'<a href="{escape(view.url)}"><img src="{escape(view.url)}/embed.png" '
        f'width="{width}" height="{height}" alt="{escape(text)}" loading="lazy"></a>'
    )


@lru_cache(maxsize=64)
def _drawn(face: CardFace, badge: bytes, strip: bool) -> bytes:
    return draw_card(face, badge, strip=strip)
