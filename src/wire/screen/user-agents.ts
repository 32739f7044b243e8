/**
 * What browsers of old phones draw, by the name that they send: for phones that name no type, or name them all. The first row that
 * matches counts; whoever matches none is taken for a browser of today.
 *
 * Sources: the makers' own lists of user agents and UAProf documents of the years (Openwave, Nokia, Sony Ericsson, Siemens,
 * Motorola, Samsung developer guides); the WAP 1.x names as Kannel's and WURFL's public lists have them.
 */
type UserAgentRow = {
  readonly family: string;
  readonly name: RegExp;
  readonly markup: "vxml" | "chtml" | "html" | "hdml" | "wml" | "xhtmlmp";
};

export const USER_AGENTS: readonly UserAgentRow[] = [
  // Browsers that say themselves what they are, whatever phone they run on.
  { family: "voice browser", name: /VoiceXML|OpenVXI|JVoiceXML|Voice Browser/i, markup: "vxml" },
  { family: "i-mode", name: /^(?:DoCoMo|J-PHONE|PDXGW|ASTEL|L-mode)\/|portalmmm/i, markup: "chtml" },
  { family: "Opera Mini or Mobile", name: /Opera M(?:ini|obi)|Opera Tablet/i, markup: "html" },
  {
    family: "browser with HTML",
    name: /^Mozilla\/[4-9].*(?:WebKit|Gecko\/|MSIE|Trident|Presto)/i,
    markup: "html",
  },
  { family: "Openwave 1 to 3 (HDML)", name: /UP\.Browser\/[1-3]\./i, markup: "hdml" },
  { family: "Openwave 4 and 5", name: /UP\.Browser\/[45]|\bUP\/[45]/i, markup: "wml" },
  { family: "Openwave 6 and later", name: /UP\.Browser\/[6-9]/i, markup: "xhtmlmp" },
  {
    family: "WinWAP 4",
    name: /WinWAP\D*[4-9]\./i,
    markup: "xhtmlmp",
  },
  { family: "WinWAP before 4", name: /WinWAP/i, markup: "wml" },
  { family: "Jataayu", name: /Jataayu|JBrowser/i, markup: "xhtmlmp" },
  { family: "MediaTek", name: /MAUI[ _-]?(?:WAP|Browser)|\bMTK[ _-]/i, markup: "xhtmlmp" },
  {
    family: "WAP emulators, and browsers of handhelds",
    name: /WapIDE|Klondike|WAPalizer|Wapsilon|wap[ _]?browser|Jigsaw.*WAP|M3Gate|fakewap|KBrowser|WAPman|WapTiger|WAPPER|WAPsody|YourWap|STNC-WTL/i,
    markup: "wml",
  },
  { family: "AU-System 1 to 4", name: /\bAU[/-]?(?:[1-4]\.|MIDP-1)/, markup: "wml" },
  { family: "phones that say WAP 1.1 or 1.2", name: /\bWAP ?1\.[12]\b/i, markup: "wml" },
  {
    family: "Obigo and Teleca of WAP 1",
    name: /(?:Obigo|Teleca)\/(?:WAP1|Q0?1)|\bAU-MIC[/-]?1|MIC\/1\.[01]/i,
    markup: "wml",
  },
  { family: "Obigo, Teleca", name: /Obigo|Teleca|AU-MIC|MIC\/[12]\.|Browser\/Teleca/i, markup: "xhtmlmp" },
  { family: "NetFront", name: /NetFront/i, markup: "xhtmlmp" },
  { family: "Dolphin, Polaris", name: /Dolphin|POLARIS|Infusio/i, markup: "xhtmlmp" },
  {
    family: "BlackBerry of WAP 1",
    name: /^BlackBerry ?(?:8[57]\d|9[05]\d|58\d\d|6[57]\d\d)\//i,
    markup: "wml",
  },
  { family: "BlackBerry before its WebKit", name: /^BlackBerry ?\d/i, markup: "xhtmlmp" },
  // Phones, by their makers' numbering: decks of WAP 1 until about 2002, pages of XHTML-MP behind that.
  { family: "Nokia's own browser of 1999", name: /^Nokia-WAP-Toolkit\/[12]\./i, markup: "wml" },
  {
    family: "Nokia of WAP 1",
    name: /^Nokia(?:7110|7160|7650|7190|6090|61[135]0|6185|62[15]0|63[14]0i?|63[67]0|5[125][0-9]0|3330|3350|3360|3395|3410|3510(?!i)|8[39]10|8890|9[12]10i?)\b/i,
    markup: "wml",
  },
  { family: "Nokia", name: /^Nokia/i, markup: "xhtmlmp" },
  {
    family: "Ericsson of WAP 1",
    name: /^Ericsson|\bEricsson(?:R320|R380|R520|A2618|T20|T29|T39|T65|T66|T68)\b/i,
    markup: "wml",
  },
  { family: "Sony Ericsson of WAP 1", name: /^SonyEricssonT(?:10[0-6]|200|202)\b/i, markup: "wml" },
  { family: "Sony Ericsson", name: /^SonyEricsson/i, markup: "xhtmlmp" },
  {
    family: "Siemens of WAP 1",
    name: /^SIE-(?:[A-Z]{1,3})?(?:[CMSA]?3[1-9]|3618|ME45|SL4[25]i?|[CSMA]45i?|[ACM]5[02]|SLIK|IC35)/i,
    markup: "wml",
  },
  { family: "Siemens", name: /^SIE-|^Siemens/i, markup: "xhtmlmp" },
  {
    family: "Motorola of WAP 1",
    name: /^MOT-(?:[A-Z]{2}[/ .]|P7389|P8767|V50|V66|T191|T250|T260|TA02|A008|C30|C33|2[0-9]{3}|7[0-9]{3}|8[0-9]|95|CB|D[0-9])/i,
    markup: "wml",
  },
  { family: "Motorola's browser of WAP 1", name: /^MOT.*\bMIB\/1\./i, markup: "wml" },
  { family: "Motorola", name: /^MOT(?:-|OROKR|ORAZR)/i, markup: "xhtmlmp" },
  {
    family: "Samsung of WAP 1",
    name: /^(?:SAMSUNG-SGH-|SEC-SGH|SAMSUNG-)(?:A[0-4]00|N[15]00|N6[02]0|Q[12]00|R[2-4]10|T[1-4]00|S1[01]5)\b/i,
    markup: "wml",
  },
  { family: "Samsung", name: /^(?:SAMSUNG|SEC)-(?:SGH|SCH|GT|SPH)?/i, markup: "xhtmlmp" },
  { family: "Alcatel of WAP 1", name: /^Alcatel-(?:BE[345]|BF[345]|BG3|BH4)/i, markup: "wml" },
  {
    family: "Philips, Mitsubishi of WAP 1",
    name: /^(?:PHILIPS[- ]?(?:FISIO|OZEO|AZALIS|SAVVY|SYSOL|XENIUM ?9@9)|Mitsu(?:bishi)?\/|Trium)/i,
    markup: "wml",
  },
  {
    family: "Alcatel, Sagem, Philips, Panasonic, Sharp, LG, Sanyo, Mitsubishi, NEC",
    name: /^(?:Alcatel|SAGEM|PHILIPS|Panasonic|SHARP|LGE?[-/ ]|SANYO|MITSU|Mitsubishi|NEC-|KDDI|HUAWEI-|ZTE-|Vodafone|Sendo|TSM|BenQ|Haier|KONKA|TCL|Amoi|SoftBank|Pantech|Toshiba|Kyocera|Audiovox|TELIT|Lenovo|Bird|DBTEL|CECT|Maxon|Innostream|VK-|VK\d|i-mobile|Micromax|Karbonn|Grundig|Hisense|Soutec|Telson)/i,
    markup: "xhtmlmp",
  },
  // What runs Java on CLDC is a phone of those years, whoever made it.
  {
    family: "phones with MIDP",
    name: /\b(?:Profile\/|J2ME\/)?MIDP-?[12]|\bCLDC-?1\.[01]/i,
    markup: "xhtmlmp",
  },
];
