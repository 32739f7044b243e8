/** Global tokens, the same in every code space and page. Source: WAP-192-WBXML §7.1. */
export const SWITCH_PAGE = 0x00;
export const END = 0x01;
export const ENTITY = 0x02;
export const STR_I = 0x03;
export const LITERAL = 0x04;
export const EXT_I_0 = 0x40;
export const PI = 0x43;
export const EXT_T_0 = 0x80;
export const STR_T = 0x83;
export const EXT_0 = 0xc0;
export const OPAQUE = 0xc3;

/** Flag bits and the rest of a tag octet. */
export const HAS_ATTRIBUTES = 0x80;
export const HAS_CONTENT = 0x40;
export const TAG_BITS = 0x3f;

/** Tokens below stand for attribute starts, from here on for parts of values. */
export const FIRST_VALUE_TOKEN = 0x80;

export const UTF_8 = 106;
