/*
 * How many documents a second does libwbxml turn from XML into WBXML on one core, without process starts?
 * Use: libwbxml-loop FILE.xml SECONDS; prints "COUNT NANOSECONDS".
 * Build: cc -O2 -I/usr/include/libwbxml-1.0 -o libwbxml-loop libwbxml-loop.c -lwbxml2
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wbxml/wbxml.h>

#define DOCUMENT_OCTETS_MAX 65536
#define ROUNDS_PER_LOOK 200

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int encode_once(const unsigned char *xml, unsigned int length) {
  WBXMLConvXML2WBXML *conversion = NULL;
  WB_UTINY *octets = NULL;
  WB_ULONG count = 0;
  if (wbxml_conv_xml2wbxml_create(&conversion) != WBXML_OK) return 0;
  wbxml_conv_xml2wbxml_disable_string_table(conversion);
  WBXMLError outcome = wbxml_conv_xml2wbxml_run(conversion, (WB_UTINY *)xml, length, &octets, &count);
  wbxml_conv_xml2wbxml_destroy(conversion);
  free(octets);
  return outcome == WBXML_OK && count > 0;
}

int main(int argc, char **argv) {
  static unsigned char xml[DOCUMENT_OCTETS_MAX];
  if (argc != 3) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 2;
  unsigned int length = (unsigned int)fread(xml, 1, sizeof xml, file);
  fclose(file);
  long long end = (long long)(atof(argv[2]) * 1e9);
  long long start = now_ns();
  long long taken = 0;
  long count = 0;
  while (taken < end) {
    for (int i = 0; i < ROUNDS_PER_LOOK; i++) {
      if (!encode_once(xml, length)) return 1;
    }
    count += ROUNDS_PER_LOOK;
    taken = now_ns() - start;
  }
  printf("%ld %lld\n", count, taken);
  return 0;
}
