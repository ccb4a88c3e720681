"""What each scope lets a program do, in the learner's words."""

from flask_babel import gettext as _

from workflows.programs.rules import ProgramScope


def scope_words(scope: ProgramScope) -> tuple[str, str] | None:
    """What it may do, and what exactly that is; None for what opens nothing."""
    return {
        ProgramScope.READ_CREDENTIALS: (
            _("See your credentials"),
            _("All of them: suspended and revoked ones too, and those you keep from elsewhere."),
        ),
        ProgramScope.BRING_CREDENTIALS: (
            _("Add credentials to yours"),
            _("Each is checked when it comes and kept as one from elsewhere. You can remove it."),
        ),
        ProgramScope.READ_PROFILE: (
            _("See who you are"),
            _("Your name and your e-mail address."),
        ),
        ProgramScope.CHANGE_PROFILE: (
            _("Change your name"),
            _("The name on your account, which stands on certificates issued from then on."),
        ),
    }.get(scope)
