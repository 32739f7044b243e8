/** Global tokens, the same in every code space and page. Source: WAP-192-WBXML §7.1. */

/** The next octet is the code page, of tags or of attributes, whichever space this stands in. */
export const SWITCH_PAGE = 0x00;
/** Ends an element's content, or its attribute list. */
export const END = 0x01;
/** A character by its number, a uintvar behind it. */
export const ENTITY = 0x02;
/** Text up to a NUL, in place. */
export const STR_I = 0x03;
/** A name that stands in the string table. */
export const LITERAL = 0x04;
/** The first of three: a document type's own, with text in place. */
export const EXT_I_0 = 0x40;
/** A processing instruction. */
export const PI = 0x43;
/** The first of three: a document type's own, with an offset into the string table. */
export const EXT_T_0 = 0x80;
/** Text in the string table, at the offset that follows. */
export const STR_T = 0x83;
/** The first of three: a document type's own, alone. */
export const EXT_0 = 0xc0;
/** Octets behind their length. */
export const OPAQUE = 0xc3;

/** Flag bits and the rest of a tag octet. */
export const HAS_ATTRIBUTES = 0x80;
/** Bit 6: content and END follow the tag. */
export const HAS_CONTENT = 0x40;
/** Bits 0 to 5: which tag of the page. */
export const TAG_BITS = 0x3f;

/** Tokens below stand for attribute starts, from here on for parts of values. */
export const FIRST_VALUE_TOKEN = 0x80;

/** IANA MIBenum of the charset that our encoders write. */
export const UTF_8 = 106;
