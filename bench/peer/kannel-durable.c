/*
 * Kannel's bearerbox writes each message to its store file and never waits for the disk. Preloaded into it, this waits once
 * for each message that it stored (fdatasync), as its promise to have it would need; not for the acknowledgements that take
 * one off again, since a message that comes twice is no loss. When the file is written anew, once for all that it holds.
 * How often it waited is counted in the file that TURNUP_BENCH_SYNCS names, eight octets, so that a bench can see that it did.
 * Use: LD_PRELOAD=kannel-durable.so TURNUP_BENCH_SYNCS=FILE TURNUP_BENCH_STORE=STORE bearerbox ...
 * Build: cc -O2 -shared -fPIC -o kannel-durable.so kannel-durable.c -ldl
 * Source: Kannel 1.4.5, gw/bb_store_file.c (a record is a length and the packed message, both begin with four octets, the
 * second its type; written by one fwrite, then fflush; STORE.new is renamed to STORE) and gw/msg-decl.h (types in order).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TYPE_AT 4
#define TYPE_OCTETS 4
/* heartbeat, admin, sms */
#define TYPE_SMS 2

/* Kannel holds a lock of its own around all that it does to its store, so that these need none. */
static FILE *store;
static int is_being_rewritten;
static int is_stored;
static _Atomic uint64_t *syncs;

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("TURNUP_BENCH_SYNCS");
  int file = name ? open(name, O_RDWR | O_CREAT, 0600) : -1;
  if (file < 0 || ftruncate(file, sizeof *syncs) != 0) abort();
  syncs = mmap(NULL, sizeof *syncs, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (syncs == MAP_FAILED) abort();
  close(file);
}

static void wait_for_disk(void) {
  if (fdatasync(fileno(store)) != 0) abort();
  atomic_fetch_add(syncs, 1);
}

FILE *fopen(const char *path, const char *mode) {
  static FILE *(*next)(const char *, const char *);
  if (!next) next = real("fopen");
  FILE *file = next(path, mode);
  const char *name = getenv("TURNUP_BENCH_STORE");
  if (!file || !name || strncmp(path, name, strlen(name)) != 0 || mode[0] == 'r') return file;
  store = file;
  is_being_rewritten = strcmp(path + strlen(name), ".new") == 0;
  return file;
}

int fclose(FILE *file) {
  static int (*next)(FILE *);
  if (!next) next = real("fclose");
  if (file == store) store = NULL;
  return next(file);
}

size_t fwrite(const void *octets, size_t size, size_t count, FILE *file) {
  static size_t (*next)(const void *, size_t, size_t, FILE *);
  static const unsigned char sms[TYPE_OCTETS] = {0, 0, 0, TYPE_SMS};
  if (!next) next = real("fwrite");
  if (file == store && !is_being_rewritten && size * count >= TYPE_AT + TYPE_OCTETS) {
    if (memcmp((const char *)octets + TYPE_AT, sms, TYPE_OCTETS) == 0) is_stored = 1;
  }
  return next(octets, size, count, file);
}

int fflush(FILE *file) {
  static int (*next)(FILE *);
  if (!next) next = real("fflush");
  int outcome = next(file);
  if (outcome == 0 && file && file == store && is_stored) {
    is_stored = 0;
    wait_for_disk();
  }
  return outcome;
}

int rename(const char *from, const char *to) {
  static int (*next)(const char *, const char *);
  if (!next) next = real("rename");
  const char *name = getenv("TURNUP_BENCH_STORE");
  int is_store = name && store && strcmp(to, name) == 0;
  if (is_store) wait_for_disk();
  int outcome = next(from, to);
  if (is_store && outcome == 0) is_being_rewritten = 0;
  return outcome;
}
