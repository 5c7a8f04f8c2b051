#include "CCurl.h"

#include <CDlopenNote.h>
#include <dlfcn.h>
#include <stdio.h>

/*
 * curl.h may define these as macros that check their arguments, under the names of the table's
 * members.
 */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define CCURL_FUNCTIONS(FUNCTION)                                                                  \
  FUNCTION(curl_easy_cleanup)                                                                      \
  FUNCTION(curl_easy_getinfo)                                                                      \
  FUNCTION(curl_easy_init)                                                                         \
  FUNCTION(curl_easy_perform)                                                                      \
  FUNCTION(curl_easy_reset)                                                                        \
  FUNCTION(curl_easy_setopt)                                                                       \
  FUNCTION(curl_easy_strerror)                                                                     \
  FUNCTION(curl_free)                                                                              \
  FUNCTION(curl_global_init)                                                                       \
  FUNCTION(curl_slist_append)                                                                      \
  FUNCTION(curl_slist_free_all)                                                                    \
  FUNCTION(curl_url)                                                                               \
  FUNCTION(curl_url_cleanup)                                                                       \
  FUNCTION(curl_url_get)                                                                           \
  FUNCTION(curl_url_set)

#define CCURL_MEMBER(name) __typeof__(name) *name;
static struct {
  CCURL_FUNCTIONS(CCURL_MEMBER)
} library;

CLINUX_DLOPEN_NOTE("http", "Signs in to deployments and refreshes tokens", "required",
                   "libcurl.so.4");

const char *ccurl_load(const char *soname) {
  static char reason[128];
  void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) return dlerror();
#define CCURL_FIND(name)                                                                           \
  library.name = (__typeof__(library.name))dlsym(handle, #name);                                   \
  if (library.name == NULL) {                                                                      \
    snprintf(reason, sizeof reason, "%s lacks the function %s", soname, #name);                    \
    return reason;                                                                                 \
  }
  CCURL_FUNCTIONS(CCURL_FIND)
  return NULL;
}

CURLcode ccurl_global_init(void) { return library.curl_global_init(CURL_GLOBAL_DEFAULT); }

CURL *ccurl_easy_init(void) { return library.curl_easy_init(); }

void ccurl_easy_cleanup(CURL *handle) { library.curl_easy_cleanup(handle); }

void ccurl_easy_reset(CURL *handle) { library.curl_easy_reset(handle); }

CURLcode ccurl_easy_perform(CURL *handle) { return library.curl_easy_perform(handle); }

const char *ccurl_easy_strerror(CURLcode code) { return library.curl_easy_strerror(code); }

CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
  return library.curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return library.curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
  return library.curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, const void *value) {
  return library.curl_easy_setopt(handle, option, value);
}

CURLcode ccurl_set_url(CURL *handle, CURLU *url) {
  return library.curl_easy_setopt(handle, CURLOPT_CURLU, url);
}

CURLcode ccurl_set_headers(CURL *handle, struct curl_slist *list) {
  return library.curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
}

CURLcode ccurl_set_receiver(CURL *handle, CURLoption option, curl_write_callback receive) {
  return library.curl_easy_setopt(handle, option, receive);
}

CURLcode ccurl_set_reader(CURL *handle, curl_read_callback read) {
  return library.curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
}

CURLcode ccurl_set_on_socket(CURL *handle, curl_sockopt_callback opened) {
  return library.curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, opened);
}

CURLcode ccurl_set_before_request(CURL *handle, curl_prereq_callback connected) {
  return library.curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, connected);
}

CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
  return library.curl_easy_getinfo(handle, info, value);
}

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
  return library.curl_slist_append(list, text);
}

void ccurl_slist_free_all(struct curl_slist *list) { library.curl_slist_free_all(list); }

CURLU *ccurl_url(void) { return library.curl_url(); }

void ccurl_url_cleanup(CURLU *url) { library.curl_url_cleanup(url); }

CURLUcode ccurl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags) {
  return library.curl_url_set(url, part, text, flags);
}

CURLUcode ccurl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags) {
  return library.curl_url_get(url, part, text, flags);
}

void ccurl_free(void *memory) { library.curl_free(memory); }
