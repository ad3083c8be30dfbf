/*
 * mbedTLS (Debian's libmbedtls-dev, 2.28) as the benchmark's main rival: the same operations on the same fixtures as the workers in
 * JavaScript, timed by CPU time in batches, one JSON line an operation. Handshakes run in memory against mbedTLS's own server, and only
 * the client's steps are timed.
 *
 *   bench FIXTURES.txt FOLDER OPERATIONS|all MS_A_BATCH BATCHES
 *   bench version
 */
#include <mbedtls/aes.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/entropy.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    unsigned char *bytes;
    size_t length;
} blob;

static mbedtls_ctr_drbg_context drbg;
static char *fixtures;
static const char *folder, *wanted;
static double batch_us;
static int batches;

static void need(int is_right, const char *what)
{
    if (is_right) return;
    fprintf(stderr, "mbedtls: %s failed\n", what);
    exit(1);
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    need(file != NULL, path);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *text = calloc(1, length + 1);
    need(fread(text, 1, length, file) == (size_t) length, path);
    fclose(file);
    return text;
}

static blob fixture(const char *name)
{
    size_t name_length = strlen(name);
    for (char *line = fixtures; line != NULL && *line != 0; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, name, name_length) != 0 || line[name_length] != '=') continue;
        const char *hex = line + name_length + 1;
        size_t length = strcspn(hex, "\n") / 2;
        blob value = { malloc(length + 1), length };
        for (size_t i = 0; i < length; i++) {
            unsigned byte;
            sscanf(hex + 2 * i, "%2x", &byte);
            value.bytes[i] = byte;
        }
        return value;
    }
    need(0, name);
    return (blob){ NULL, 0 };
}

/* ——— timing ——— */

/* Does an operation once; where `spent` is not NULL, it adds the microseconds that count instead of all of them. */
typedef void (*operation)(void *context, double *spent);

static double batch(operation run, void *context, long count, int is_partial)
{
    double spent = 0, start = cpu_us();
    for (long i = 0; i < count; i++) run(context, is_partial ? &spent : NULL);
    return is_partial ? spent : cpu_us() - start;
}

static int is_wanted(const char *name)
{
    if (strcmp(wanted, "all") == 0) return 1;
    size_t length = strlen(name);
    for (const char *at = wanted; (at = strstr(at, name)) != NULL; at += length)
        if ((at == wanted || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return 1;
    return 0;
}

static void report(const char *name, operation run, void *context, const unsigned char *check, size_t check_length, int is_partial)
{
    if (!is_wanted(name)) return;
    long count = 1;
    for (double spent = 0, last = 0; last < batch_us || spent < 3 * batch_us; spent += last) {
        last = batch(run, context, count, is_partial);
        if (last < batch_us) count = count * (last > batch_us / 4 ? 1.1 * batch_us / last : 4) + 1;
    }
    printf("{\"implementation\":\"mbedtls\",\"operation\":\"%s\",\"check\":\"", name);
    if (check == NULL) printf("true");
    else for (size_t i = 0; i < check_length; i++) printf("%02x", check[i]);
    printf("\",\"samples\":[");
    for (int i = 0; i < batches; i++) printf("%s%.4f", i == 0 ? "" : ",", batch(run, context, count, is_partial) / count);
    printf("]}\n");
    fflush(stdout);
}

/* ——— primitives ——— */

typedef struct {
    mbedtls_ecp_group group;
    mbedtls_mpi d, z;
    mbedtls_ecp_point q, peer;
} ecdh;

static void run_keygen(void *context, double *spent)
{
    ecdh *e = context;
    (void) spent;
    need(mbedtls_ecdh_gen_public(&e->group, &e->z, &e->q, mbedtls_ctr_drbg_random, &drbg) == 0, "gen_public");
}

static void run_ecdh(void *context, double *spent)
{
    ecdh *e = context;
    (void) spent;
    need(mbedtls_ecdh_compute_shared(&e->group, &e->z, &e->peer, &e->d, mbedtls_ctr_drbg_random, &drbg) == 0, "compute_shared");
}

/* The curve of X25519 has scalars and coordinates in little-endian; `keygen` may be NULL. */
static void bench_ecdh(const char *name, mbedtls_ecp_group_id id, size_t bytes, const char *keygen, const char *shared)
{
    ecdh e;
    unsigned char out[133];
    char fixture_name[32];
    size_t length;
    int is_montgomery = id == MBEDTLS_ECP_DP_CURVE25519;
    snprintf(fixture_name, sizeof fixture_name, "%sScalar", name);
    blob scalar = fixture(fixture_name);
    snprintf(fixture_name, sizeof fixture_name, "%sPeer", name);
    blob peer = fixture(fixture_name);
    mbedtls_ecp_group_init(&e.group);
    mbedtls_mpi_init(&e.d);
    mbedtls_mpi_init(&e.z);
    mbedtls_ecp_point_init(&e.q);
    mbedtls_ecp_point_init(&e.peer);
    need(mbedtls_ecp_group_load(&e.group, id) == 0, "group_load");
    need((is_montgomery ? mbedtls_mpi_read_binary_le : mbedtls_mpi_read_binary)(&e.d, scalar.bytes, scalar.length) == 0, "scalar");
    need(mbedtls_ecp_point_read_binary(&e.group, &e.peer, peer.bytes, peer.length) == 0, "peer");
    need(mbedtls_ecp_mul(&e.group, &e.q, &e.d, &e.group.G, mbedtls_ctr_drbg_random, &drbg) == 0, "mul");
    need(mbedtls_ecp_point_write_binary(&e.group, &e.q, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, out, sizeof out) == 0, "write");
    if (keygen != NULL) report(keygen, run_keygen, &e, out, length, 0);
    run_ecdh(&e, NULL);
    need((is_montgomery ? mbedtls_mpi_write_binary_le : mbedtls_mpi_write_binary)(&e.z, out, bytes) == 0, "z");
    report(shared, run_ecdh, &e, out, bytes, 0);
}

typedef struct {
    mbedtls_pk_context key, public;
    blob digest, signature;
} signing;

static void run_sign(void *context, double *spent)
{
    signing *s = context;
    unsigned char signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t length;
    (void) spent;
    need(mbedtls_pk_sign(&s->key, MBEDTLS_MD_SHA256, s->digest.bytes, 32, signature, &length, mbedtls_ctr_drbg_random, &drbg) == 0, "sign");
}

static void run_verify(void *context, double *spent)
{
    signing *s = context;
    (void) spent;
    need(mbedtls_pk_verify(&s->public, MBEDTLS_MD_SHA256, s->digest.bytes, 32, s->signature.bytes, s->signature.length) == 0, "verify");
}

/* Verification alone. */
static void bench_verifying(const char *public, const char *signature, const char *verify)
{
    signing s;
    blob public_der = fixture(public);
    s.digest = fixture("digest");
    s.signature = fixture(signature);
    mbedtls_pk_init(&s.public);
    need(mbedtls_pk_parse_public_key(&s.public, public_der.bytes, public_der.length) == 0, public);
    report(verify, run_verify, &s, NULL, 0, 0);
}

static void bench_signing(const char *key, const char *public, const char *signature, const char *sign, const char *verify)
{
    signing s;
    blob private_der = fixture(key), public_der = fixture(public);
    unsigned char made[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t length;
    s.digest = fixture("digest");
    s.signature = fixture(signature);
    mbedtls_pk_init(&s.key);
    mbedtls_pk_init(&s.public);
    need(mbedtls_pk_parse_key(&s.key, private_der.bytes, private_der.length, NULL, 0) == 0, key);
    need(mbedtls_pk_parse_public_key(&s.public, public_der.bytes, public_der.length) == 0, public);
    need(mbedtls_pk_sign(&s.key, MBEDTLS_MD_SHA256, s.digest.bytes, 32, made, &length, mbedtls_ctr_drbg_random, &drbg) == 0, sign);
    need(mbedtls_pk_verify(&s.public, MBEDTLS_MD_SHA256, s.digest.bytes, 32, made, length) == 0, "verify what was signed");
    report(sign, run_sign, &s, NULL, 0, 0);
    report(verify, run_verify, &s, NULL, 0, 0);
}

static blob message;

static void run_sha256(void *context, double *spent)
{
    (void) spent;
    mbedtls_sha256_ret(message.bytes, message.length, context, 0);
}

static void run_sha384(void *context, double *spent)
{
    (void) spent;
    mbedtls_sha512_ret(message.bytes, message.length, context, 1);
}

typedef struct {
    blob secret, seed;
    unsigned char out[48];
} prf;

static void run_prf(void *context, double *spent)
{
    prf *p = context;
    (void) spent;
    need(mbedtls_ssl_tls_prf(MBEDTLS_SSL_TLS_PRF_SHA256, p->secret.bytes, p->secret.length, "master secret", p->seed.bytes, p->seed.length, p->out, 48) == 0, "prf");
}

typedef struct {
    mbedtls_gcm_context gcm;
    blob nonce, aad;
    size_t length;
    unsigned char buffer[16384 + 16];
} sealing;

static void run_seal(void *context, double *spent)
{
    sealing *s = context;
    (void) spent;
    need(mbedtls_gcm_crypt_and_tag(&s->gcm, MBEDTLS_GCM_ENCRYPT, s->length, s->nonce.bytes, 12, s->aad.bytes, s->aad.length, s->buffer, s->buffer, 16, s->buffer + s->length) == 0, "seal");
}

static void run_open(void *context, double *spent)
{
    sealing *s = context;
    static unsigned char out[16384];
    (void) spent;
    need(mbedtls_gcm_auth_decrypt(&s->gcm, s->length, s->nonce.bytes, 12, s->aad.bytes, s->aad.length, s->buffer + s->length, 16, s->buffer, out) == 0, "open");
}

static void bench_gcm(void)
{
    static const size_t lengths[] = { 64, 256, 1024, 16384 };
    static sealing s;
    blob key = fixture("gcmKey");
    mbedtls_gcm_init(&s.gcm);
    need(mbedtls_gcm_setkey(&s.gcm, MBEDTLS_CIPHER_ID_AES, key.bytes, 128) == 0, "setkey");
    s.nonce = fixture("gcmNonce");
    s.aad = fixture("gcmAad");
    for (int i = 0; i < 4; i++) {
        static unsigned char check[16384 + 16];
        char name[40];
        s.length = lengths[i];
        memcpy(s.buffer, message.bytes, s.length);
        run_seal(&s, NULL);
        memcpy(check, s.buffer, s.length + 16);
        snprintf(name, sizeof name, "aes128gcm-seal-%zu", s.length);
        report(name, run_seal, &s, check, s.length + 16, 0);
        memcpy(s.buffer, check, s.length + 16);
        snprintf(name, sizeof name, "aes128gcm-open-%zu", s.length);
        report(name, run_open, &s, message.bytes, s.length, 0);
    }
}

typedef struct {
    mbedtls_chachapoly_context cipher;
    blob nonce, aad;
    size_t length;
    unsigned char text[16384], sealed[16384 + 16];
} chacha;

static void run_chacha_seal(void *context, double *spent)
{
    chacha *c = context;
    (void) spent;
    need(mbedtls_chachapoly_encrypt_and_tag(&c->cipher, c->length, c->nonce.bytes, c->aad.bytes, c->aad.length, c->text, c->sealed, c->sealed + c->length) == 0, "seal");
}

static void run_chacha_open(void *context, double *spent)
{
    chacha *c = context;
    (void) spent;
    need(mbedtls_chachapoly_auth_decrypt(&c->cipher, c->length, c->nonce.bytes, c->aad.bytes, c->aad.length, c->sealed + c->length, c->sealed, c->text) == 0, "open");
}

static void bench_chacha(void)
{
    static const size_t lengths[] = { 64, 16384 };
    static chacha c;
    blob key = fixture("chachaKey");
    mbedtls_chachapoly_init(&c.cipher);
    need(mbedtls_chachapoly_setkey(&c.cipher, key.bytes) == 0, "setkey");
    c.nonce = fixture("gcmNonce");
    c.aad = fixture("gcmAad");
    for (int i = 0; i < 2; i++) {
        char name[40];
        c.length = lengths[i];
        memcpy(c.text, message.bytes, c.length);
        run_chacha_seal(&c, NULL);
        snprintf(name, sizeof name, "chacha20poly1305-seal-%zu", c.length);
        report(name, run_chacha_seal, &c, c.sealed, c.length + 16, 0);
    }
    report("chacha20poly1305-open-16384", run_chacha_open, &c, message.bytes, c.length, 0);
}

/* A record of a CBC suite out of mbedTLS's primitives: MAC, padding, encryption. Opening takes no precautions here; in mbedTLS's TLS it does. */
typedef struct {
    mbedtls_aes_context seal, open;
    mbedtls_md_context_t mac;
    blob iv;
    size_t length, total;
    unsigned char header[13], text[16384 + 48], sealed[16384 + 48];
} cbc;

static void cbc_mac(cbc *c, size_t length, unsigned char *out)
{
    c->header[11] = length >> 8;
    c->header[12] = length;
    mbedtls_md_hmac_reset(&c->mac);
    mbedtls_md_hmac_update(&c->mac, c->header, 13);
    mbedtls_md_hmac_update(&c->mac, c->text, length);
    mbedtls_md_hmac_finish(&c->mac, out);
}

static void run_cbc_seal(void *context, double *spent)
{
    cbc *c = context;
    unsigned char iv[16];
    (void) spent;
    memcpy(iv, c->iv.bytes, 16);
    cbc_mac(c, c->length, c->text + c->length);
    memset(c->text + c->length + 32, 15, 16);
    need(mbedtls_aes_crypt_cbc(&c->seal, MBEDTLS_AES_ENCRYPT, c->total, iv, c->text, c->sealed) == 0, "cbc");
}

static void run_cbc_open(void *context, double *spent)
{
    cbc *c = context;
    unsigned char iv[16], mac[32];
    (void) spent;
    memcpy(iv, c->iv.bytes, 16);
    need(mbedtls_aes_crypt_cbc(&c->open, MBEDTLS_AES_DECRYPT, c->total, iv, c->sealed, c->text) == 0, "cbc");
    size_t length = c->total - c->text[c->total - 1] - 1 - 32;
    cbc_mac(c, length, mac);
    need(length == c->length && memcmp(mac, c->text + length, 32) == 0, "mac");
}

static void bench_cbc(void)
{
    static const size_t lengths[] = { 1024, 16384 };
    static cbc c;
    blob key = fixture("gcmKey"), mac_key = fixture("macKey"), header = fixture("gcmAad");
    c.iv = fixture("cbcIv");
    memcpy(c.header, header.bytes, 13);
    mbedtls_aes_init(&c.seal);
    mbedtls_aes_init(&c.open);
    mbedtls_md_init(&c.mac);
    need(mbedtls_aes_setkey_enc(&c.seal, key.bytes, 128) == 0 && mbedtls_aes_setkey_dec(&c.open, key.bytes, 128) == 0, "setkey");
    need(mbedtls_md_setup(&c.mac, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1) == 0, "md_setup");
    need(mbedtls_md_hmac_starts(&c.mac, mac_key.bytes, mac_key.length) == 0, "hmac_starts");
    for (int i = 0; i < 2; i++) {
        char name[40];
        c.length = lengths[i];
        /* Texts of whole blocks: the padding is a whole block. */
        c.total = c.length + 48;
        memcpy(c.text, message.bytes, c.length);
        run_cbc_seal(&c, NULL);
        snprintf(name, sizeof name, "aes128cbc-sha256-seal-%zu", c.length);
        report(name, run_cbc_seal, &c, c.sealed, c.total, 0);
        snprintf(name, sizeof name, "aes128cbc-sha256-open-%zu", c.length);
        report(name, run_cbc_open, &c, message.bytes, c.length, 0);
    }
}

static void bench_symmetric(void)
{
    unsigned char digest[48];
    prf p = { fixture("prfSecret"), fixture("prfSeed"), { 0 } };
    run_sha256(digest, NULL);
    report("sha256-16384", run_sha256, digest, digest, 32, 0);
    run_sha384(digest, NULL);
    report("sha384-16384", run_sha384, digest, digest, 48, 0);
    run_prf(&p, NULL);
    report("prf-48", run_prf, &p, p.out, 48, 0);
    bench_gcm();
    bench_chacha();
    bench_cbc();
}

static void run_parse(void *context, double *spent)
{
    blob *der = context;
    mbedtls_x509_crt certificate;
    (void) spent;
    mbedtls_x509_crt_init(&certificate);
    need(mbedtls_x509_crt_parse_der(&certificate, der->bytes, der->length) == 0, "parse");
    mbedtls_x509_crt_free(&certificate);
}

static void bench_parse(const char *name, const char *operation_name)
{
    blob der = fixture(name);
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    need(mbedtls_x509_crt_parse_der(&certificate, der.bytes, der.length) == 0, name);
    report(operation_name, run_parse, &der, certificate.serial.p, certificate.serial.len, 0);
}

typedef struct {
    blob leaf, intermediate;
    mbedtls_x509_crt root;
} chain;

/* Parses what a server sends, and verifies it. */
static void run_verify_chain(void *context, double *spent)
{
    chain *c = context;
    mbedtls_x509_crt sent;
    uint32_t flags;
    (void) spent;
    mbedtls_x509_crt_init(&sent);
    need(mbedtls_x509_crt_parse_der(&sent, c->leaf.bytes, c->leaf.length) == 0, "parse");
    need(mbedtls_x509_crt_parse_der(&sent, c->intermediate.bytes, c->intermediate.length) == 0, "parse");
    need(mbedtls_x509_crt_verify(&sent, &c->root, NULL, "localhost", &flags, NULL, NULL) == 0, "verify chain");
    mbedtls_x509_crt_free(&sent);
}

static void bench_chain(const char *type, const char *operation_name)
{
    chain c;
    char name[32];
    snprintf(name, sizeof name, "%sLeaf", type);
    c.leaf = fixture(name);
    snprintf(name, sizeof name, "%sIntermediate", type);
    c.intermediate = fixture(name);
    snprintf(name, sizeof name, "%sRootDer", type);
    blob root = fixture(name);
    mbedtls_x509_crt_init(&c.root);
    need(mbedtls_x509_crt_parse_der(&c.root, root.bytes, root.length) == 0, name);
    run_verify_chain(&c, NULL);
    report(operation_name, run_verify_chain, &c, NULL, 0, 0);
}

/* ——— handshakes and records ——— */

/* One direction in memory. */
typedef struct {
    unsigned char bytes[65536];
    size_t from, to;
} pipe_buffer;

typedef struct {
    pipe_buffer *in, *out;
} ends;

static int pipe_send(void *context, const unsigned char *bytes, size_t length)
{
    pipe_buffer *p = ((ends *) context)->out;
    need(p->to + length <= sizeof p->bytes, "pipe");
    memcpy(p->bytes + p->to, bytes, length);
    p->to += length;
    return (int) length;
}

static int pipe_receive(void *context, unsigned char *bytes, size_t length)
{
    pipe_buffer *p = ((ends *) context)->in;
    size_t there = p->to - p->from;
    if (there == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    if (length > there) length = there;
    memcpy(bytes, p->bytes + p->from, length);
    p->from += length;
    if (p->from == p->to) p->from = p->to = 0;
    return (int) length;
}

typedef struct {
    mbedtls_ssl_config client, server;
    pipe_buffer up, down;
    mbedtls_x509_crt ca, server_chain, client_chain;
    mbedtls_pk_context server_key, client_key;
    mbedtls_ssl_ticket_context tickets;
    /* What the client resumes; NULL for full handshakes. */
    mbedtls_ssl_session *session;
} handshake;

/* Runs the handshake of two contexts over the pipes; the ends must live as long as they. */
static void connect_both(handshake *h, mbedtls_ssl_context *client, mbedtls_ssl_context *server, ends *ours, ends *theirs, double *spent)
{
    int c = -1, s = -1;
    *ours = (ends){ &h->down, &h->up };
    *theirs = (ends){ &h->up, &h->down };
    h->up.from = h->up.to = h->down.from = h->down.to = 0;
    mbedtls_ssl_init(server);
    need(mbedtls_ssl_setup(server, &h->server) == 0, "server setup");
    mbedtls_ssl_set_bio(server, theirs, pipe_send, pipe_receive, NULL);
    double start = cpu_us();
    mbedtls_ssl_init(client);
    need(mbedtls_ssl_setup(client, &h->client) == 0, "client setup");
    need(mbedtls_ssl_set_hostname(client, "localhost") == 0, "hostname");
    mbedtls_ssl_set_bio(client, ours, pipe_send, pipe_receive, NULL);
    if (h->session != NULL) need(mbedtls_ssl_set_session(client, h->session) == 0, "set_session");
    *spent += cpu_us() - start;
    while (c != 0 || s != 0) {
        if (c != 0) {
            start = cpu_us();
            c = mbedtls_ssl_handshake(client);
            *spent += cpu_us() - start;
            need(c == 0 || c == MBEDTLS_ERR_SSL_WANT_READ, "client handshake");
        }
        if (s != 0) {
            s = mbedtls_ssl_handshake(server);
            need(s == 0 || s == MBEDTLS_ERR_SSL_WANT_READ, "server handshake");
        }
    }
}

static void run_handshake(void *context, double *spent)
{
    mbedtls_ssl_context client, server;
    ends ours, theirs;
    connect_both(context, &client, &server, &ours, &theirs, spent);
    double start = cpu_us();
    mbedtls_ssl_free(&client);
    *spent += cpu_us() - start;
    mbedtls_ssl_free(&server);
}

static void load(mbedtls_x509_crt *certificate, mbedtls_pk_context *key, const char *chain, const char *key_name)
{
    char path[4096];
    mbedtls_x509_crt_init(certificate);
    snprintf(path, sizeof path, "%s/%s", folder, chain);
    need(mbedtls_x509_crt_parse_file(certificate, path) == 0, path);
    if (key == NULL) return;
    mbedtls_pk_init(key);
    snprintf(path, sizeof path, "%s/%s", folder, key_name);
    need(mbedtls_pk_parse_keyfile(key, path, NULL) == 0, path);
}

static void configure(handshake *h, const char *type, const char *server_chain, const char *server_key, int is_mutual)
{
    static const int ecdsa[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0 };
    static const int rsa[] = { MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0 };
    static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
    char file[64], key[64];
    snprintf(file, sizeof file, "ca-%s.crt", type);
    load(&h->ca, NULL, file, NULL);
    load(&h->server_chain, &h->server_key, server_chain, server_key);
    snprintf(file, sizeof file, "client-%s.crt", type);
    snprintf(key, sizeof key, "client-%s.key", type);
    load(&h->client_chain, &h->client_key, file, key);
    mbedtls_ssl_config *configs[] = { &h->client, &h->server };
    for (int i = 0; i < 2; i++) {
        mbedtls_ssl_config_init(configs[i]);
        need(mbedtls_ssl_config_defaults(configs[i], i, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0, "defaults");
        mbedtls_ssl_conf_rng(configs[i], mbedtls_ctr_drbg_random, &drbg);
        mbedtls_ssl_conf_ca_chain(configs[i], &h->ca, NULL);
        mbedtls_ssl_conf_ciphersuites(configs[i], strcmp(type, "ec") == 0 ? ecdsa : rsa);
        mbedtls_ssl_conf_curves(configs[i], curves);
        mbedtls_ssl_conf_session_tickets(configs[i], MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    }
    mbedtls_ssl_conf_authmode(&h->client, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_authmode(&h->server, is_mutual ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    need(mbedtls_ssl_conf_own_cert(&h->server, &h->server_chain, &h->server_key) == 0, "own_cert");
    if (is_mutual) need(mbedtls_ssl_conf_own_cert(&h->client, &h->client_chain, &h->client_key) == 0, "own_cert");
}

static void bench_handshake(const char *name, const char *type, const char *server_chain, const char *server_key, int is_mutual)
{
    static handshake h;
    if (!is_wanted(name)) return;
    configure(&h, type, server_chain, server_key, is_mutual);
    report(name, run_handshake, &h, NULL, 0, 1);
}

/* That it was resumed shows in the secret. */
static void bench_resumption(const char *name, const char *type, const char *server_chain, const char *server_key)
{
    static handshake h;
    static mbedtls_ssl_session session, again;
    mbedtls_ssl_context client, server;
    ends ours, theirs;
    double ignored = 0;
    if (!is_wanted(name)) return;
    memset(&h, 0, sizeof h);
    configure(&h, type, server_chain, server_key, 1);
    mbedtls_ssl_ticket_init(&h.tickets);
    need(mbedtls_ssl_ticket_setup(&h.tickets, mbedtls_ctr_drbg_random, &drbg, MBEDTLS_CIPHER_AES_256_GCM, 86400) == 0, "ticket_setup");
    mbedtls_ssl_conf_session_tickets_cb(&h.server, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &h.tickets);
    mbedtls_ssl_conf_session_tickets(&h.client, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_session_init(&session);
    mbedtls_ssl_session_init(&again);
    connect_both(&h, &client, &server, &ours, &theirs, &ignored);
    need(mbedtls_ssl_get_session(&client, &session) == 0, "get_session");
    mbedtls_ssl_free(&client);
    mbedtls_ssl_free(&server);
    h.session = &session;
    connect_both(&h, &client, &server, &ours, &theirs, &ignored);
    need(mbedtls_ssl_get_session(&client, &again) == 0 && memcmp(session.master, again.master, 48) == 0, "resumption");
    mbedtls_ssl_free(&client);
    mbedtls_ssl_free(&server);
    report(name, run_handshake, &h, NULL, 0, 1);
}

typedef struct {
    handshake h;
    mbedtls_ssl_context client, server;
    ends ours, theirs;
    size_t length;
    unsigned char text[16384];
} records;

static void write_all(mbedtls_ssl_context *ssl, const unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length; ) {
        int written = mbedtls_ssl_write(ssl, bytes + at, length - at);
        need(written > 0, "write");
        at += written;
    }
}

static void read_all(mbedtls_ssl_context *ssl, unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length; ) {
        int read = mbedtls_ssl_read(ssl, bytes + at, length - at);
        need(read > 0, "read");
        at += read;
    }
}

/* The pipe is emptied and not read: what was written goes nowhere. */
static void run_write(void *context, double *spent)
{
    records *r = context;
    (void) spent;
    r->h.up.from = r->h.up.to = 0;
    write_all(&r->client, message.bytes, r->length);
}

/* As many records as fill some of the pipe are made ready, and then read: the clock is not asked for each of them. */
static void run_read(void *context, double *spent)
{
    records *r = context;
    size_t count = 32768 / r->length;
    for (size_t i = 0; i < count; i++) write_all(&r->server, message.bytes, r->length);
    double start = cpu_us();
    for (size_t i = 0; i < count; i++) read_all(&r->client, r->text, r->length);
    *spent += (cpu_us() - start) / count;
}

static void bench_records(void)
{
    static const size_t lengths[] = { 64, 256, 1024, 16384 };
    static records r;
    double ignored = 0;
    configure(&r.h, "ec", "server-ec.crt", "server-ec.key", 0);
    for (int i = 0; i < 4; i++) {
        char name[40];
        r.length = lengths[i];
        connect_both(&r.h, &r.client, &r.server, &r.ours, &r.theirs, &ignored);
        write_all(&r.client, message.bytes, r.length);
        read_all(&r.server, r.text, r.length);
        snprintf(name, sizeof name, "record-write-%zu", r.length);
        report(name, run_write, &r, r.text, r.length, 0);
        mbedtls_ssl_free(&r.client);
        mbedtls_ssl_free(&r.server);
        connect_both(&r.h, &r.client, &r.server, &r.ours, &r.theirs, &ignored);
        run_read(&r, &ignored);
        snprintf(name, sizeof name, "record-read-%zu", r.length);
        report(name, run_read, &r, r.text, r.length, 1);
        mbedtls_ssl_free(&r.client);
        mbedtls_ssl_free(&r.server);
    }
}

int main(int count, char **arguments)
{
    mbedtls_entropy_context entropy;
    if (count == 2 && strcmp(arguments[1], "version") == 0) return puts(MBEDTLS_VERSION_STRING) < 0;
    need(count == 6, "usage: bench FIXTURES FOLDER OPERATIONS MS_A_BATCH BATCHES;");
    fixtures = read_file(arguments[1]);
    folder = arguments[2];
    wanted = arguments[3];
    batch_us = atof(arguments[4]) * 1000;
    batches = atoi(arguments[5]);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    need(mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0) == 0, "seed");
    message = fixture("message");
    bench_ecdh("p256", MBEDTLS_ECP_DP_SECP256R1, 32, "p256-keygen", "p256-ecdh");
    bench_ecdh("p384", MBEDTLS_ECP_DP_SECP384R1, 48, NULL, "p384-ecdh");
    bench_ecdh("p521", MBEDTLS_ECP_DP_SECP521R1, 66, NULL, "p521-ecdh");
    bench_ecdh("x25519", MBEDTLS_ECP_DP_CURVE25519, 32, NULL, "x25519-ecdh");
    bench_signing("ecPrivateKey", "ecPublicKey", "ecSignature", "ecdsa-p256-sign", "ecdsa-p256-verify");
    bench_signing("p384PrivateKey", "p384PublicKey", "p384Signature", "ecdsa-p384-sign", "ecdsa-p384-verify");
    bench_verifying("rsa4096PublicKey", "rsa4096Signature", "rsa4096-verify");
    bench_signing("rsaPrivateKey", "rsaPublicKey", "rsaSignature", "rsa2048-sign", "rsa2048-verify");
    bench_symmetric();
    bench_parse("ecCertificate", "x509-parse-ec");
    bench_parse("rsaCertificate", "x509-parse-rsa");
    bench_chain("ec", "x509-verify-ec");
    bench_chain("rsa", "x509-verify-rsa");
    bench_handshake("handshake-ecdsa-mutual", "ec", "server-ec.crt", "server-ec.key", 1);
    bench_handshake("handshake-ecdsa", "ec", "server-ec.crt", "server-ec.key", 0);
    bench_handshake("handshake-ecdsa-mutual-chain", "ec", "deep-ec-chain.crt", "deep-ec.key", 1);
    bench_handshake("handshake-rsa-mutual", "rsa", "server-rsa.crt", "server-rsa.key", 1);
    bench_handshake("handshake-rsa", "rsa", "server-rsa.crt", "server-rsa.key", 0);
    bench_handshake("handshake-rsa-mutual-chain", "rsa", "deep-rsa-chain.crt", "deep-rsa.key", 1);
    bench_handshake("handshake-ecdsa-chain", "ec", "deep-ec-chain.crt", "deep-ec.key", 0);
    bench_handshake("handshake-rsa-chain", "rsa", "deep-rsa-chain.crt", "deep-rsa.key", 0);
    bench_resumption("handshake-ecdsa-resumed", "ec", "server-ec.crt", "server-ec.key");
    bench_resumption("handshake-rsa-resumed", "rsa", "server-rsa.crt", "server-rsa.key");
    bench_records();
    return 0;
}
