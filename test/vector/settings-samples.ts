/**
 * Two settings documents as operators send them, with the octets and MACs that three other decoders agree on:
 * an internet access point with a browser, and an MMS account behind a proxy.
 */
import type { Characteristic, ProvisioningDocument } from "../../src/wire/omacp/document.ts";

type Parms = Readonly<Record<string, string | null>>;

/** Short for a characteristic: its type, its parms (null is a flag), those nested in it. */
export const characteristic = (
  type: string,
  parms: Parms,
  ...characteristics: readonly Characteristic[]
): Characteristic => ({
  type,
  parms: Object.entries(parms).map(([name, value]) => ({ name, value })),
  characteristics,
});

export type Sample = {
  readonly name: string;
  readonly document: ProvisioningDocument;
  /** In the page-1 dialect. */
  readonly hex: string;
  /** USERPIN 1234. */
  readonly mac: string;
};

export const SAMPLES: readonly Sample[] = [
  {
    name: "internet",
    document: {
      version: "1.1",
      characteristics: [
        characteristic("BOOTSTRAP", { NAME: "Turnup" }),
        characteristic("NAPDEF", {
          NAPID: "NAP1",
          BEARER: "GSM-GPRS",
          NAME: "Turnup Internet",
          "NAP-ADDRESS": "internet",
          "NAP-ADDRTYPE": "APN",
          INTERNET: null,
        }),
        characteristic("APPLICATION", { APPID: "w2", NAME: "Turnup Internet", "TO-NAPID": "NAP1" }),
      ],
    },
    hex: "030b6a00c54503312e310001c65601870706035475726e7570000101c65501871106034e4150310001871006ab01870706035475726e757020496e7465726e6574000187080603696e7465726e65740001870906890187140101c6000155018736060377320001870706035475726e757020496e7465726e65740001872206034e41503100010101",
    mac: "9FA8FC8D7D0B6B888300609294B4A2454D61F66D",
  },
  {
    name: "MMS",
    document: {
      version: "1.1",
      characteristics: [
        characteristic("BOOTSTRAP", { NAME: "Turnup MMS" }),
        characteristic(
          "NAPDEF",
          {
            NAPID: "NAP2",
            BEARER: "GSM-GPRS",
            NAME: "Turnup MMS",
            "NAP-ADDRESS": "mms",
            "NAP-ADDRTYPE": "APN",
          },
          characteristic("NAPAUTHINFO", { AUTHTYPE: "PAP", AUTHNAME: "u", AUTHSECRET: "p" }),
        ),
        characteristic(
          "PXLOGICAL",
          { "PROXY-ID": "PX2", NAME: "Turnup MMS" },
          characteristic(
            "PXPHYSICAL",
            {
              "PHYSICAL-PROXY-ID": "PPX2",
              PXADDR: "10.0.0.10",
              PXADDRTYPE: "IPV4",
              "TO-NAPID": "NAP2",
            },
            characteristic("PORT", { PORTNBR: "8080" }),
          ),
        ),
        characteristic("APPLICATION", {
          APPID: "w4",
          NAME: "Turnup MMS",
          "TO-PROXY": "PX2",
          ADDR: "http://mmsc.example/",
        }),
      ],
    },
    hex: "030b6a00c54503312e310001c65601870706035475726e7570204d4d53000101c65501871106034e4150320001871006ab01870706035475726e7570204d4d530001870806036d6d7300018709068901c65a01870c069a01870d0603750001870e06037000010101c65101871506035058320001870706035475726e7570204d4d530001c65201872f06035050583200018720060331302e302e302e313000018721068501872206034e4150320001c6530187230603383038300001010101c6000155018736060377340001870706035475726e7570204d4d53000187390603505832000187340603687474703a2f2f6d6d73632e6578616d706c652f00010101",
    mac: "74D00DAADF93E6C8A8D5AB4E3FF0FA4F5F8A342E",
  },
];
