#pragma once
#include <curl/curl.h>

// Swift cannot call variadic functions: one fixed-arity wrapper for each type of argument.

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, const void *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_url(CURL *handle, CURLU *url) {
  return curl_easy_setopt(handle, CURLOPT_CURLU, url);
}

static inline CURLcode ccurl_set_headers(CURL *handle, struct curl_slist *list) {
  return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
}

static inline CURLcode ccurl_set_receiver(CURL *handle, CURLoption option,
                                          curl_write_callback receive) {
  return curl_easy_setopt(handle, option, receive);
}

static inline CURLcode ccurl_set_reader(CURL *handle, curl_read_callback read) {
  return curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
}

static inline CURLcode ccurl_set_on_socket(CURL *handle, curl_sockopt_callback opened) {
  return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, opened);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(handle, info, value);
}
