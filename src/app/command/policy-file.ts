/** What the programs of other parties (`turnup maker`, `turnup service`) share: how a policy file is read. */
import { TurnupError } from "../../term/error.ts";
import { type Read, ShapeError } from "../../wire/message/shape.ts";

/** @throws TurnupError `config_invalid`, with the place in the file */
export function readPolicyFile<Policy>(read: Read<Policy>, content: Buffer): Policy {
  try {
    return read(JSON.parse(content.toString("utf8")), "");
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
    throw new TurnupError("config_invalid", `The policy file: ${error.message}.`, {
      cause: error,
      nextStep: "Correct the file at the place named; nothing was started.",
    });
  }
}
