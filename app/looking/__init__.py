"""Tools that look into files: each runs confined, reads a file and says in JSON what it found.

    ConfinedLooker ── app.looking.tasks:facts ──▶ pdf, images, media, office, archives, texts
                   ── app.looking.tasks:draw
                   ── app.looking.tasks:pages
                   ── app.looking.tasks:render

Only `looker` is for others; everything else is loaded in the confined process alone, because it
opens what strangers made with libraries that were not written for strangers.
"""
