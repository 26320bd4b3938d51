"""A Slack on loopback that refuses what Slack refuses: for tests, and to click through by hand.

    with SlackServer() as slack:                        # on a free port; `Workspace(address)` is the same without one
        slack.base_url, slack.token, slack.app_token    # for slack_sdk.WebClient and SocketModeClient
        slack.sockets.wait_for(1)                       # until the app has one socket open; `.open` are those there are
        [message] = slack.posted                        # as it now reads; `slack.ephemeral` are those for one person
        click = slack.click(message, "Keep 30 days", by=LEE)    # a label, action id or value, of a button or an option
        click.wait()                                    # for the acknowledgement
        click.in_time, click.lost, click.warned         # within 3 s; no socket was open; Slack shows its warning
        slack.send(click)                               # the same envelope again
        late = slack.prepare(message, "Keep 30 days")   # sent when `slack.send(late)` says so
        slack.click(message, "Keep 30 days", by=STRANGER)           # somebody of another workspace
        slack.click(message, "Keep 30 days", forged=with_value("of another message"))     # see clicks.FORGERIES

A socket fails on demand: `disconnect("warning" | "refresh_requested" | "link_disabled")`, `silence()` (stands, and
answers nothing), `half_frame()`, `oversized(size)`, `garbage()`, `say(text)`, `close()`, `die()`. With
`sockets.refuses = True` no new one is let in. `slack.refusals["/api/apps.connections.open"] = Reply(503)` and
`slack.script` answer calls of the Web API in other ways, `rate_limited(7)` among them; `slack.scopes[slack.token]` is
what the token may do.

For a process on simulated time there is no server: a `Line` given to `workspace.sockets.attach` takes the envelopes,
`workspace.sockets.hear(socket, text)` is what the app says, and `workspace.answer(path, authorization, body)` answers
its calls. `workspace.clock` is the time.
"""
