/**
 * The IMEI-tracking applet of an operator's cards, in software, with the terminal that it asks: at each start it asks for
 * the terminal's number, compares it with the one that it kept, and tells the operator by a short message when it changed.
 * Otherwise it is silent.
 *
 *   sim   a SIM card of the first years: knows the IMEI alone, reports fixed fields
 *   uicc  a USIM: asks for the IMEISV, takes the IMEI where the terminal has none, reports data objects
 *   esim  a profile of an embedded SIM: the same, while it is the one that is switched on; it moves by a download
 */
import { type AppletHome, encodeFixedReport, encodeObjectReport } from "../../wire/applet/report.ts";
import {
  cannotDo,
  decodeCommand,
  decodeResponse,
  encodeCommand,
  encodeResponse,
  type LocalInformation,
} from "../../wire/applet/terminal.ts";

type Terminal = { answer(command: Uint8Array): Uint8Array };

/** A handset as the card sees it. `softwareVersion` null: made before IMEISVs were told to cards. */
export const createTerminal = (handset: {
  readonly imei: string;
  readonly softwareVersion: string | null;
}): Terminal => ({
  answer(command) {
    const asked = decodeCommand(command);
    const { imei, softwareVersion } = handset;
    if (asked === "imei") return encodeResponse({ asked, kind: "given", digits: imei });
    if (softwareVersion === null) return encodeResponse(cannotDo(asked));
    return encodeResponse({ asked, kind: "given", digits: `${imei.slice(0, 14)}${softwareVersion}` });
  },
});

type AppletOptions = {
  readonly home: AppletHome;
  readonly imsi: string;
  readonly iccid: string;
  /** A short message from this card's subscriber to the operator's short code. */
  readonly send: (message: { readonly dataCoding: number; readonly data: Uint8Array }) => Promise<void>;
};

/** `off`: the profile is not the one in use. */
type Started = "reported" | "silent" | "off";

const EIGHT_BIT = 4;
const ASKS: Readonly<Record<AppletHome, readonly LocalInformation[]>> = {
  sim: ["imei"],
  uicc: ["imeisv", "imei"],
  esim: ["imeisv", "imei"],
};

export class Applet {
  readonly #options: AppletOptions;
  /** First 14 digits: the part that never varies. */
  #kept: string | undefined;
  isSwitchedOn = true;

  constructor(options: AppletOptions) {
    this.#options = options;
  }

  /** The card starts in this terminal, or its profile was downloaded there. */
  async start(terminal: Terminal): Promise<Started> {
    const { home, imsi, iccid, send } = this.#options;
    if (!this.isSwitchedOn) return "off";
    const digits = this.#ask(terminal);
    if (digits === undefined || digits.slice(0, 14) === this.#kept) return "silent";
    const is16 = digits.length === 16;
    const data =
      home === "sim"
        ? encodeFixedReport({ imei: digits, imsi, iccid })
        : encodeObjectReport({
            imei: is16 ? null : digits,
            imeisv: is16 ? digits : null,
            imsi,
            iccid,
            home,
            profile: null,
          });
    await send({ dataCoding: EIGHT_BIT, data });
    this.#kept = digits.slice(0, 14); // kept when it was sent: what was not is sent at the next start
    return "reported";
  }

  #ask(terminal: Terminal): string | undefined {
    for (const asked of ASKS[this.#options.home]) {
      const response = decodeResponse(terminal.answer(encodeCommand(asked)));
      if (response.kind === "given") return response.digits;
    }
    return undefined;
  }
}
