/** What gateways said of sessions that they were asked to end or to change. */
import Type from "typebox";
import { SESSION_OUTCOMES, type SessionsAsked } from "../../../kernel/detection/live-session.ts";
import { ok } from "../../route.ts";
import { named, text, textOrNull, words } from "../../schema.ts";
import { liveSession } from "../data-sessions.ts";

export const sessionReason = text("Why; it stands in the audit.", 200);

export const SessionsAskedOut = named(
  "SessionsAsked",
  Type.Object({
    outcome: words(
      ["ack", "nak", "none"],
      "ack: every session is over, or changed. nak: at least one may go on as it was. none: no gateway that can be asked has told of one.",
    ),
    sessions: Type.Array(
      Type.Object({
        ...liveSession,
        outcome: words(
          SESSION_OUTCOMES,
          "done, was_gone (the gateway knows of no such session), refused, unanswered (three tries in ten seconds), unreachable.",
        ),
        cause: Type.Union([
          Type.Object({
            code: Type.Integer({ description: "Error-Cause of RFC 5176 section 3.5." }),
            name: textOrNull(),
          }),
          Type.Null(),
        ]),
        next: textOrNull({ description: "What to do." }),
      }),
    ),
  }),
);

export const answerSessions = ({ outcome, sessions }: SessionsAsked) =>
  ok({
    outcome,
    sessions: sessions.map(({ since, heardAt, ...one }) => ({
      ...one,
      ...{ since: since.toISOString(), heardAt: heardAt.toISOString() },
    })),
  });
