"""Answers to htmx and to browsers without it, from the same views.

A region of a page is a block named like its id; `fragment` renders it alone. Whether a fragment or
a page is wanted says `HX-Request-Type`: it only chooses what is rendered, never what is allowed.
"""

import json
from collections.abc import Iterator

from flask import Response, current_app, flash, make_response, render_template, request, url_for
from flask import redirect as plain_redirect
from jinja2.runtime import Context
from werkzeug.wrappers import Response as AnyResponse


def by_htmx() -> bool:
    """Whether htmx sent this request. Forged headers change the form of the answer only."""
    return request.headers.get("HX-Request") == "true"


def is_partial() -> bool:
    """Whether the answer goes into a region of a page that stays."""
    return by_htmx() and request.headers.get("HX-Request-Type") == "partial"


def page_or_block(template: str, block: str, status: int = 200, **context: object) -> Response:
    """The whole page, or only one of its regions when the request is for a part."""
    if is_partial():
        return make_response(fragment(template, block, **context), status)
    return make_response(render_template(template, **context), status)


def fragment(template: str, block: str, **context: object) -> str:
    """One block of a template, with the macros that the template imports before any output."""
    loaded = current_app.jinja_env.get_or_select_template(template)
    filled = dict(context)
    current_app.update_template_context(filled)
    scope = loaded.new_context(filled)
    _run_imports(loaded.root_render_func(scope), scope, own_blocks=len(loaded.blocks))
    return "".join(scope.blocks[block][0](scope))


def redirect(endpoint: str, notice: str = "", tone: str = "good", **values: object) -> AnyResponse:
    """Go to another page after something was done, saying so there."""
    return redirect_to(url_for(endpoint, **values), notice, tone)  # type: ignore[arg-type]


def redirect_to(address: str, notice: str = "", tone: str = "good") -> AnyResponse:
    """Go to an address of this site; the browser asks for it with GET."""
    if notice:
        flash(notice, tone)
    if by_htmx():
        return Response(status=200, headers={"HX-Redirect": address})
    return plain_redirect(address, 303)


def reload_page(status: int = 200) -> Response:
    """Have htmx load the whole page again: what it shows no longer holds."""
    return Response(status=status, headers={"HX-Refresh": "true"})


def tell_page(answer: Response, event: str) -> Response:
    """Let the page know of something else that changed; the element that asked may be gone by then,
    so its body is told."""
    answer.headers["HX-Trigger"] = json.dumps({event: {"target": "body"}})
    return answer


def into_messages(body: str, status: int) -> Response:
    """Put a message into the page's own region for them, and leave everything else as it is."""
    headers = {"HX-Retarget": "#flashes", "HX-Reswap": "beforeend"}
    return Response(body, status=status, headers=headers, mimetype="text/html")


def _run_imports(output: Iterator[str], scope: Context, own_blocks: int) -> None:
    """Run a template's head, where its macros are imported.

    A page that extends a frame says nothing before the frame does, so its first word ends the
    head; a template that stands alone is run to its end.
    """
    next(output, None)
    extends = any(len(stack) > 1 for stack in scope.blocks.values())
    if not extends and len(scope.blocks) == own_blocks:
        for _word in output:
            pass
