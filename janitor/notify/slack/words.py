"""The error codes of Slack (docs.slack.dev), and what they mean for people."""

HINTS = {
    "channel_not_found": "is the channel right, and is the bot a member?",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "invalid_auth": "the token is not accepted",
    "not_authed": "the token is not accepted",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "account_inactive": "the bot was removed",
    "missing_scope": "the bot lacks a scope: chat:write, files:write for files, im:write for direct messages, "
    "users:read.email for e-mail addresses, or one for clicks",
    "users_not_found": "nobody there has this address",
    "user_not_found": "there is no such user",
    "user_disabled": "the account is deactivated",
    "user_not_visible": "the bot may not see this user",
    "cannot_dm_bot": "it is a bot",
    "ratelimited": "it kept asking to wait",
    "rate_limited": "it kept asking to wait",
    "no_service": "the webhook was removed",
    "no_team": "the webhook was removed",
    "invalid_token": "the webhook was removed",
}
_COPY_IT = "copy the token (xoxb-…) from the page OAuth & Permissions of the app, and put it where `token` comes from"
_ANOTHER_WEBHOOK = (
    "make another on the page Incoming Webhooks of the app, and put its URL where `webhook_url` comes from"
)
_UNARCHIVE = "unarchive the channel, or name another one"
_INVITE = "/invite the bot in {channel}; the name is the one that Slack shows, or its id (C…)"
_PERSON = "name a member of this workspace under `owners`, by the id that Slack shows (U…) or the e-mail address"
_NEXT_STEPS = {
    "users_not_found": _PERSON,
    "user_not_found": _PERSON,
    "user_disabled": _PERSON,
    "user_not_visible": _PERSON,
    "cannot_dm_bot": _PERSON,
    "channel_not_found": _INVITE,
    "not_in_channel": _INVITE,
    "is_archived": _UNARCHIVE,
    "channel_is_archived": _UNARCHIVE,
    "invalid_auth": _COPY_IT,
    "not_authed": _COPY_IT,
    "token_revoked": _COPY_IT,
    "token_expired": _COPY_IT,
    "not_allowed_token_type": _COPY_IT,
    "account_inactive": "install the app in the workspace again, and use the token that this gives",
    "missing_scope": "add the scope on the page OAuth & Permissions of the app, then reinstall the app there",
    "no_service": _ANOTHER_WEBHOOK,
    "no_team": _ANOTHER_WEBHOOK,
    "invalid_token": _ANOTHER_WEBHOOK,
}
_OTHERWISE = "check the address, the network and the proxy (`http: {{proxy: …}}`) on this machine"
_ASK = "look up the word at docs.slack.dev, and ask who looks after the workspace"


def advice_on(word: str, channel: str | None) -> str:
    """What to do about an error code of Slack; without one, about an answer that says nothing of Slack's."""
    return _NEXT_STEPS.get(word, _ASK if word else _OTHERWISE).format(channel=channel or "the channel")


BUSY = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
# The error codes of Slack, whatever status a server sends with them.
REFUSALS = (
    HINTS.keys()
    | BUSY
    | {
        "access_denied",
        "accesslimited",
        "action_prohibited",
        "as_user_not_supported",
        "cannot_reply_to_message",
        "deprecated_endpoint",
        "duplicate_channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "external_channel_migrating",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_auth_header",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_channel",
        "invalid_charset",
        "invalid_form_data",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_payload",
        "invalid_post_type",
        "markdown_text_conflict",
        "message_limit_exceeded",
        "messages_tab_disabled",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "method_deprecated",
        "missing_post_type",
        "missing_text_or_fallback_or_attachments",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_active_hooks",
        "no_channel",
        "no_permission",
        "no_service_id",
        "no_text",
        "not_allowed_token_type",
        "org_login_required",
        "posting_to_general_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "rollup_error",
        "slack_connect_blocked_file_type",
        "slack_connect_file_link_sharing_blocked",
        "team_access_not_granted",
        "team_added_to_org",
        "team_disabled",
        "team_not_found",
        "thread_not_found",
        "too_many_attachments",
        "two_factor_setup_required",
        "unknown_method",
        "invalid_user_combination",
        "method_not_supported_for_channel_type",
        "users_list_not_supplied",
        "not_enough_users",
    }
)
