/** What the parms of OMA Client Provisioning mean, and where they are defined. Source: OMA-WAP-ProvCont 1.1 §4.5. */
type Meaning = { readonly meaning: string; readonly clause: string };

const of = (clause: string, meanings: Readonly<Record<string, string>>): [string, Meaning][] =>
  Object.entries(meanings).map(([name, meaning]) => [
    name,
    { meaning, clause: `OMA-WAP-ProvCont 1.1 ${clause}` },
  ]);

/** By name; NAME and others that stand in several characteristics mean the same in each. */
export const PARMS: Readonly<Record<string, Meaning>> = Object.fromEntries([
  ...of("§4.5.3", {
    NAPID: "by this the access point is referred to",
    BEARER: "the network that carries it; GSM-GPRS is packet data of every generation",
    "NAP-ADDRESS": "the access point name",
    "NAP-ADDRTYPE": "what kind of address that is; APN for packet data",
    INTERNET: "flag: any application may use it",
    "LOCAL-ADDR": "the device's own address there",
    "LOCAL-ADDRTYPE": "the protocol of its address",
    "DNS-ADDR": "a name server",
    AUTHTYPE: "how the network asks for name and secret",
    AUTHNAME: "login at the network",
    AUTHSECRET: "password at the network",
    LINGER: "seconds after which an idle connection ends",
    VALIDUNTIL: "after this the access point is not used",
    COUNTRY: "mobile country code where it is valid",
    NETWORK: "mobile network code where it is valid",
    "WPA-PRES-KEY-ASC": "key of the Wi-Fi network",
    "PRI-SSID": "name of the Wi-Fi network",
    SECMODE: "security of the Wi-Fi network",
  }),
  ...of("§4.5.1", {
    "PROXY-ID": "by this the proxy is referred to",
    STARTPAGE: "flag, or the page that is shown first",
    MASTER: "flag: the proxy knows others",
    TRUST: "flag: what it pushes is trusted",
    PUSHENABLED: "whether it takes pushes for the device",
    PULLENABLED: "whether the device fetches by it",
    "PXAUTH-TYPE": "how the proxy asks for name and password",
    "PXAUTH-ID": "login at the proxy",
    "PXAUTH-PW": "password at the proxy",
  }),
  ...of("§4.5.2", {
    "PHYSICAL-PROXY-ID": "one of the proxy's addresses",
    PXADDR: "the proxy's address",
    PXADDRTYPE: "what kind of address that is",
    PORTNBR: "its port",
    SERVICE: "the protocol spoken there",
  }),
  ...of("§4.5.5", {
    APPID: "the application: w2 browser, w4 MMS, w7 OMA DM, 25, 110 and 143 e-mail",
    "PROVIDER-ID": "who provides it; joins what belongs together",
    NAME: "what the phone shows",
    ADDR: "the application's address; of w4 the message centre",
    ADDRTYPE: "what kind of address that is",
    "TO-PROXY": "the proxy by which it goes out",
    "TO-NAPID": "the access point by which it goes out",
    URI: "a page",
    AAUTHLEVEL:
      "whose credential it is: APPSRV the device's at the server, CLIENT the server's at the device",
    AAUTHTYPE: "how it is proved",
    AAUTHNAME: "login at the application",
    AAUTHSECRET: "password at the application",
    AAUTHDATA: "the first nonce, in Base64",
  }),
]);
