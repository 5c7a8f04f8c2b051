#pragma once
#include <curl/curl.h>

/*
 * libcurl without linking it. curl.h gives the types; every function is called through a table that
 * ccurl_load fills, because loading libcurl and its thirty libraries takes longer than most of our
 * commands, which make no request. Nothing else here may be called before ccurl_load succeeded.
 *
 * Swift does not import variadic functions, so the setters and getters have one wrapper for each
 * type of argument. Constants that are macros or anonymous enumerators get a type of ours: which
 * one they have depends on libcurl's version.
 */

/* Loads the library: NULL, or why it cannot be used, valid until the next call of dlopen(3). */
const char *ccurl_load(const char *soname);

CURLcode ccurl_global_init(void);
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *handle);
void ccurl_easy_reset(CURL *handle);
CURLcode ccurl_easy_perform(CURL *handle);
const char *ccurl_easy_strerror(CURLcode code);

CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, const void *value);
CURLcode ccurl_set_url(CURL *handle, CURLU *url);
CURLcode ccurl_set_headers(CURL *handle, struct curl_slist *list);
CURLcode ccurl_set_receiver(CURL *handle, CURLoption option, curl_write_callback receive);
CURLcode ccurl_set_reader(CURL *handle, curl_read_callback read);
CURLcode ccurl_set_on_socket(CURL *handle, curl_sockopt_callback opened);
CURLcode ccurl_set_before_request(CURL *handle, curl_prereq_callback connected);
CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value);

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);

CURLU *ccurl_url(void);
void ccurl_url_cleanup(CURLU *url);
CURLUcode ccurl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags);
CURLUcode ccurl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags);
void ccurl_free(void *memory);

static const long ccurl_http_version_2tls = CURL_HTTP_VERSION_2TLS;
static const long ccurl_sslversion_tlsv1_2 = CURL_SSLVERSION_TLSv1_2;
static const long ccurl_netrc_ignored = CURL_NETRC_IGNORED;
static const long ccurl_header_separate = CURLHEADER_SEPARATE;
static const long ccurl_auth_basic = (long)CURLAUTH_BASIC;
static const long ccurl_auth_digest = (long)CURLAUTH_DIGEST;
static const long ccurl_auth_negotiate = (long)CURLAUTH_NEGOTIATE;
static const long ccurl_auth_ntlm = (long)CURLAUTH_NTLM;
static const long ccurl_auth_bearer = (long)CURLAUTH_BEARER;
static const int ccurl_sockopt_ok = CURL_SOCKOPT_OK;
static const int ccurl_sockopt_error = CURL_SOCKOPT_ERROR;
static const int ccurl_prereqfunc_ok = CURL_PREREQFUNC_OK;
static const int ccurl_prereqfunc_abort = CURL_PREREQFUNC_ABORT;
static const long ccurl_readfunc_abort = CURL_READFUNC_ABORT;
static const long ccurl_error_size = CURL_ERROR_SIZE;
static const unsigned int ccurl_url_non_support_scheme = CURLU_NON_SUPPORT_SCHEME;
