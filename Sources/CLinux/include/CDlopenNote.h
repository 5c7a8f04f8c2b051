#pragma once
#include <stdint.h>

/*
 * Tells packagers and tools of a library that is loaded late, which no DT_NEEDED entry tells any more
 * (UAPI Group specifications, "Package Metadata for dlopen ELF notes"). Once in a C file.
 */
#define CLINUX_DLOPEN_NOTE(feature, description_of_it, priority, soname)                           \
  CLINUX_ELF_NOTE("[{\"feature\":\"" feature "\",\"description\":\"" description_of_it             \
                  "\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]")

/* Notes stand side by side: a sanitizer must leave no room around them. */
#define CLINUX_ELF_NOTE(json)                                                                      \
  __attribute__((used, section(".note.dlopen"), no_sanitize("address"))) _Alignas(uint32_t)        \
  static const struct {                                                                            \
    uint32_t name_size, description_size, type;                                                    \
    char name[4];                                                                                  \
    _Alignas(uint32_t) char description[sizeof json];                                              \
  } dlopen_note = {sizeof "FDO", sizeof json, 0x407c0c0a, "FDO", json}
