#pragma once
#include <curl/curl.h>
// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: typed inline forms.
typedef size_t (*icegate_curl_write)(char *data, size_t size, size_t count, void *context);
static inline CURLcode icegate_curl_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode icegate_curl_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode icegate_curl_set_offset(CURL *h, CURLoption o, curl_off_t v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode icegate_curl_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode icegate_curl_set_write(CURL *h, CURLoption o, icegate_curl_write f) { return curl_easy_setopt(h, o, f); }
static inline CURLcode icegate_curl_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLMcode icegate_curl_multi_set_long(CURLM *m, CURLMoption o, long v) { return curl_multi_setopt(m, o, v); }
static inline CURLcode icegate_curl_get_offset(CURL *h, CURLINFO i, curl_off_t *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode icegate_curl_get_pointer(CURL *h, CURLINFO i, char **v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode icegate_curl_message_result(CURLMsg *m) { return m->data.result; }
static inline CURLcode icegate_curl_get_socket(CURL *h, CURLINFO i, curl_socket_t *v) { return curl_easy_getinfo(h, i, v); }
typedef int (*icegate_curl_before)(void *context, char *peer, char *local, int peer_port, int local_port);
static inline CURLcode icegate_curl_set_before(CURL *h, CURLoption o, icegate_curl_before f) { return curl_easy_setopt(h, o, f); }
