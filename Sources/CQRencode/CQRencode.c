#include "CQRencode.h"

#include <CDlopenNote.h>
#include <dlfcn.h>
#include <stddef.h>

/* From qrencode.h: QRcode, QR_ECLEVEL_L, and two functions. */
struct qrcode {
  int version;
  int width;
  unsigned char *data;
};
enum { lowest_correction = 0 };
typedef struct qrcode *encode_function(const char *text, int version, int level);
typedef void free_function(struct qrcode *code);

#define CQRENCODE_SONAME "libqrencode.so.4"
CLINUX_DLOPEN_NOTE("qr", "Shows addresses as QR codes", "suggested",
                   CQRENCODE_SONAME);

int cqrencode(const char *text, unsigned char modules[CQRENCODE_MAXIMUM * CQRENCODE_MAXIMUM]) {
  void *library = dlopen(CQRENCODE_SONAME, RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) return 0;
  encode_function *encode = (encode_function *)dlsym(library, "QRcode_encodeString8bit");
  free_function *release = (free_function *)dlsym(library, "QRcode_free");
  struct qrcode *code = encode && release ? encode(text, 0, lowest_correction) : NULL;
  int width = 0;
  if (code != NULL) {
    if (code->width > 0 && code->width <= CQRENCODE_MAXIMUM) {
      width = code->width;
      /* The lowest bit of a module is its colour. */
      for (int index = 0; index < width * width; ++index) modules[index] = code->data[index] & 1;
    }
    release(code);
  }
  dlclose(library);
  return width;
}
