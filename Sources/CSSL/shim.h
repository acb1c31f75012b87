#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>

/// What is a macro in OpenSSL's headers.
static inline void icegate_ssl_configure(SSL_CTX *context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Sessions are resumed by tickets, which take no memory here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/// A key under a password is an error; OpenSSL would ask at the terminal.
static int icegate_ssl_no_password(char *buffer, int size, int writing, void *data) { return -1; }
static inline void icegate_ssl_never_ask(SSL_CTX *context) {
  SSL_CTX_set_default_passwd_cb(context, icegate_ssl_no_password);
}

/// HTTP/2 where the client knows it, else HTTP/1.1; a client that names neither is refused.
static int icegate_ssl_select(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in,
                              unsigned int count, void *data) {
  static const unsigned char spoken[] = "\x02h2\x08http/1.1";
  int found = SSL_select_next_proto((unsigned char **)out, length, spoken, sizeof(spoken) - 1, in, count);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}
static inline void icegate_ssl_offer_http(SSL_CTX *context) {
  SSL_CTX_set_alpn_select_cb(context, icegate_ssl_select, 0);
}
