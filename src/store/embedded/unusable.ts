/** A data folder that cannot be made, entered or written. */
import { TurnupError } from "../../term/error.ts";

export const unusable = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("data_folder_unusable", fact, {
    cause,
    nextStep:
      "Name another folder (data.folder, TURNUP_DATA_FOLDER), or start as the user who owns this one.",
  });
