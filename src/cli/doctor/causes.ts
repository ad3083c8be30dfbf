/**
 * Every cause that `thingwire doctor` can name: one table, as the errors of each layer have one. A cause says which check found it
 * in general terms; what was seen stands in the evidence of the check.
 *
 * Longer than 500 lines because it is one table; nobody reads it from end to end.
 *
 * `fail`: the thing does not work, or its key is not safe. `warn`: it works here, and may not elsewhere.
 *
 * @module
 */

/** One of the guide's five factors, by number from 1; see `connectionFactors`. */
export type Factor = 1 | 2 | 3 | 4 | 5;

/** One row of the table. */
export interface CauseRow {
  readonly verdict: "fail" | "warn";
  /** One line: what is wrong. */
  readonly meaning: string;
  /** What the user should do. */
  readonly fix: string;
  /** Which of the guide's factors it breaks, where it breaks one for sure. */
  readonly factor?: Factor;
  /** What mbedTLS returns in this case, negative. */
  readonly mbedtls?: number;
  /** What the AWS IoT C SDK v3 returns in this case, negative. */
  readonly sdk?: number;
}

const NEW_CERTIFICATE =
  "Create a new certificate (console: Security, Certificates; or `thingwire provision`), attach the policy and the thing to it, and use its files.";
const POLICY_FIX =
  "In the console open the certificate and look under Policies: one must be attached, and it must allow the action and resource named in the evidence.";

/** All causes by code. */
export const causes = {
  // ---- files ----
  DOCTOR_FILE_MISSING: {
    verdict: "fail",
    meaning: "the file does not exist",
    fix: "Check the path. AWS names the files ID-certificate.pem.crt and ID-private.pem.key; the private key can be downloaded only once.",
    factor: 2,
  },
  DOCTOR_FILE_UNREADABLE: {
    verdict: "fail",
    meaning: "the file cannot be read",
    fix: "Let this user read it: chmod 600 FILE as its owner.",
    factor: 2,
  },
  DOCTOR_FILE_IS_FOLDER: {
    verdict: "fail",
    meaning: "the path is a folder, not a file",
    fix: "Name the file in it.",
    factor: 2,
  },
  DOCTOR_FILE_EMPTY: {
    verdict: "fail",
    meaning: "the file is empty",
    fix: "Copy it again; a private key that is lost cannot be downloaded again: then create a new certificate.",
    factor: 2,
  },
  DOCTOR_FILE_UTF16: {
    verdict: "fail",
    meaning: "the file is text in UTF-16, which no TLS library reads",
    fix: "Save it as ASCII or UTF-8 without a byte order mark; in PowerShell write with `Out-File -Encoding ascii`.",
    factor: 2,
  },
  DOCTOR_FILE_BOM: {
    verdict: "warn",
    meaning: "the file starts with a byte order mark, which OpenSSL and programs built on it do not read",
    fix: "Save it as UTF-8 without BOM, or as ASCII.",
  },
  DOCTOR_FILE_LINE_ENDS: {
    verdict: "warn",
    meaning: "the file's line ends are damaged: single or doubled carriage returns",
    fix: "Copy it again in binary mode, or repair it: tr -s '\\r' '\\n' < FILE.",
  },
  DOCTOR_FILE_DER: {
    verdict: "warn",
    meaning: "the file is DER where most programs, the C SDK among them, want PEM",
    fix: "Convert it: openssl x509 -inform DER -in FILE -out client.crt, or openssl pkey -inform DER -in FILE -out client.key.",
  },
  DOCTOR_FILE_LINES_LOST: {
    verdict: "fail",
    meaning: "the PEM text has lost its line breaks",
    fix: "BEGIN and END must stand on lines of their own, and \\n must be line breaks and not two characters: copy the file itself, not its text out of JSON or a shell variable.",
    factor: 2,
  },
  DOCTOR_PEM_DAMAGED: {
    verdict: "fail",
    meaning: "the PEM text is damaged",
    fix: "Copy the file again, whole and unchanged, from BEGIN to END.",
    factor: 2,
  },
  DOCTOR_DER_DAMAGED: {
    verdict: "fail",
    meaning: "the DER is damaged",
    fix: "Copy the file again, whole and in binary mode.",
    factor: 2,
  },
  DOCTOR_FILE_FOREIGN: {
    verdict: "fail",
    meaning: "the file is of another kind",
    fix: "Take the certificate (ID-certificate.pem.crt) and the private key (ID-private.pem.key) that AWS IoT gave, or convert it to PEM with openssl.",
    factor: 2,
  },
  DOCTOR_FILES_SWAPPED: {
    verdict: "fail",
    meaning: "certificate and private key are swapped",
    fix: "Pass the certificate with --cert and the private key with --key.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_IS_KEY: {
    verdict: "fail",
    meaning: "the certificate file holds a private key",
    fix: "Pass ID-certificate.pem.crt with --cert.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_IS_PUBLIC_KEY: {
    verdict: "fail",
    meaning: "the certificate file holds a bare public key",
    fix: "Pass ID-certificate.pem.crt with --cert, not ID-public.pem.key.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_IS_REQUEST: {
    verdict: "fail",
    meaning: "the certificate file holds a certificate request (CSR), which nobody has signed yet",
    fix: "Have it signed: aws iot create-certificate-from-csr --set-as-active, or `thingwire provision` with your own CA; then use the certificate that comes back.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_MALFORMED: {
    verdict: "fail",
    meaning: "the certificate cannot be read",
    fix: "Copy the file again, whole and unchanged.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_IS_CA: {
    verdict: "fail",
    meaning: "the certificate is that of a CA, not of a device",
    fix: "Pass the device's own certificate with --cert; CA certificates, such as AmazonRootCA1.pem, go to --ca.",
    factor: 2,
  },
  DOCTOR_CHAIN_ORDER: {
    verdict: "fail",
    meaning: "the device's certificate is not the first one in its file",
    fix: "Put the device's certificate first, then the CA that signed it.",
    factor: 2,
  },
  DOCTOR_CHAIN_UNLINKED: {
    verdict: "warn",
    meaning: "a certificate in the file is not issued by the one that follows it",
    fix: "Leave only the device's certificate and, in order, the CAs above it.",
  },
  DOCTOR_KEY_IS_PUBLIC: {
    verdict: "fail",
    meaning: "the key file holds the public key, where the private key is needed",
    fix: "Pass ID-private.pem.key with --key, not ID-public.pem.key.",
    factor: 2,
  },
  DOCTOR_KEY_IS_CERTIFICATE: {
    verdict: "fail",
    meaning: "the key file holds a certificate",
    fix: "Pass ID-private.pem.key with --key.",
    factor: 2,
  },
  DOCTOR_KEY_IS_REQUEST: {
    verdict: "fail",
    meaning: "the key file holds a certificate request (CSR)",
    fix: "Pass the private key that the request was made with.",
    factor: 2,
  },
  DOCTOR_KEY_ENCRYPTED: {
    verdict: "fail",
    meaning: "the private key is encrypted with a password",
    fix: "Decrypt it, because a device has nobody to ask: openssl pkey -in FILE -out client.key; chmod 600 client.key.",
    factor: 2,
  },
  DOCTOR_KEY_SEVERAL: {
    verdict: "fail",
    meaning: "the key file holds several private keys",
    fix: "Leave only the one that belongs to the certificate.",
    factor: 2,
  },
  DOCTOR_KEY_UNSUPPORTED: {
    verdict: "fail",
    meaning: "the private key is of a kind that AWS IoT does not take in TLS 1.2",
    fix: "Use RSA with 2048 bits or more, or EC P-256, P-384 or P-521.",
    factor: 2,
  },
  DOCTOR_KEY_MALFORMED: {
    verdict: "fail",
    meaning: "the private key cannot be read",
    fix: "Copy the file again, whole and unchanged; a key that is lost cannot be downloaded again: then create a new certificate.",
    factor: 2,
  },
  DOCTOR_KEY_MISMATCH: {
    verdict: "fail",
    meaning: "the private key does not belong to the certificate",
    fix: "Take certificate and key of the same download: their file names start with the same id.",
    factor: 2,
    sdk: -21,
  },
  DOCTOR_KEY_TRACKED: {
    verdict: "fail",
    meaning: "git tracks the private key: whoever has the repository has the key",
    fix: `git rm --cached FILE, add it to .gitignore, and deactivate the certificate: the key is in the history. ${NEW_CERTIFICATE}`,
  },
  DOCTOR_KEY_UNTRACKED: {
    verdict: "warn",
    meaning: "the private key lies in a git repository that does not ignore it: the next `git add .` takes it",
    fix: "Name it in .gitignore, or keep it outside of the repository.",
  },
  DOCTOR_CA_UNUSABLE: {
    verdict: "fail",
    meaning: "the CA file holds no certificates that can be used",
    fix: "Pass CA certificates in PEM with --ca, or leave it out for AWS IoT: Amazon's roots are built in.",
    sdk: -19,
  },
  // ---- the certificate itself ----
  DOCTOR_CERTIFICATE_EXPIRED: {
    verdict: "fail",
    meaning: "the device's certificate has expired",
    fix: NEW_CERTIFICATE,
    factor: 3,
  },
  DOCTOR_CERTIFICATE_NOT_YET_VALID: {
    verdict: "fail",
    meaning: "the device's certificate is not valid yet",
    fix: "Where the clock is right, wait or issue it again with an earlier start; otherwise set the clock (NTP).",
    factor: 3,
  },
  DOCTOR_CERTIFICATE_WEAK_HASH: {
    verdict: "fail",
    meaning: "the certificate is signed with a broken hash, which AWS IoT does not take",
    fix: "Sign it again with SHA-256.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_WEAK_KEY: {
    verdict: "fail",
    meaning: "the certificate's RSA key is shorter than the 2048 bits that AWS IoT demands",
    fix: "Make a new key (openssl genrsa 2048, or better EC P-256) and a certificate for it.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_KEY_UNSUPPORTED: {
    verdict: "fail",
    meaning: "the certificate's key is of a kind that AWS IoT does not take in TLS 1.2",
    fix: "Use RSA with 2048 bits or more, or EC P-256, P-384 or P-521.",
    factor: 2,
  },
  DOCTOR_CERTIFICATE_NOT_FOR_CLIENTS: {
    verdict: "warn",
    meaning: "the certificate is limited to other purposes than that of a TLS client",
    fix: "Issue it with extendedKeyUsage clientAuth and keyUsage digitalSignature, or without these extensions.",
  },
  DOCTOR_CLOCK_UNSET: {
    verdict: "fail",
    meaning: "the clock of this machine is not set: no certificate can be checked",
    fix: "Set the clock (NTP) before connecting.",
  },
  // ---- the policy as a file ----
  DOCTOR_POLICY_UNREADABLE: {
    verdict: "fail",
    meaning: "the policy file is no policy that AWS IoT would take",
    fix: "Correct it where the evidence says; aws iot get-policy --policy-name NAME gives the one that is in force.",
    factor: 5,
  },
  DOCTOR_POLICY_DENIES: {
    verdict: "fail",
    meaning: "the policy does not allow what the thing does",
    fix: "Allow the action and resource in the evidence: `*` stands for anything there, while `+` and `#` are literals.",
    factor: 5,
  },
  DOCTOR_POLICY_SUSPECT: {
    verdict: "warn",
    meaning: "the policy has a hole or a statement that does nothing",
    fix: "See the evidence.",
  },
  // ---- the endpoint and the way to it ----
  DOCTOR_ENDPOINT_URL: {
    verdict: "fail",
    meaning: "the endpoint is a URL, where a host name is needed",
    fix: "Leave out the scheme and the path.",
    factor: 1,
  },
  DOCTOR_ENDPOINT_PORT: {
    verdict: "fail",
    meaning: "the endpoint carries a port",
    fix: "Pass the host name with --endpoint and the port with --port.",
    factor: 1,
  },
  DOCTOR_ENDPOINT_INVALID: {
    verdict: "fail",
    meaning: "the endpoint is no host name",
    fix: "Copy it from the console (Settings) or from: aws iot describe-endpoint --endpoint-type iot:Data-ATS.",
    factor: 1,
  },
  DOCTOR_ENDPOINT_OLD: {
    verdict: "fail",
    meaning: "the endpoint is the old one without -ats, whose VeriSign chain Amazon's roots do not verify",
    fix: "Use the one with -ats: aws iot describe-endpoint --endpoint-type iot:Data-ATS.",
    factor: 1,
  },
  DOCTOR_ENDPOINT_NOT_IOT: {
    verdict: "fail",
    meaning: "the endpoint belongs to AWS, but not to the message broker of AWS IoT",
    fix: "It looks like PREFIX-ats.iot.REGION.amazonaws.com: aws iot describe-endpoint --endpoint-type iot:Data-ATS.",
    factor: 1,
  },
  DOCTOR_ENDPOINT_REGION: {
    verdict: "fail",
    meaning: "the endpoint names no region that can exist",
    fix: "Copy the endpoint from the console of your own region (Settings), letter by letter.",
    factor: 1,
  },
  DOCTOR_DNS_NOT_FOUND: {
    verdict: "fail",
    meaning: "the endpoint's host name was not found",
    fix: "Compare it with the one in the console (Settings), letter by letter, region included; then check this machine's DNS.",
    factor: 1,
    mbedtls: -0x0052,
    sdk: -23,
  },
  DOCTOR_TCP_REFUSED: {
    verdict: "fail",
    meaning: "the host refused the connection: nothing listens at that port",
    fix: "Check --port: 8883, or 443 with ALPN; and whether a local endpoint is running.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  DOCTOR_TCP_UNREACHABLE: {
    verdict: "fail",
    meaning: "there is no way to the host",
    fix: "Check the network: Wi-Fi, gateway, VPN.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  DOCTOR_TCP_TIMEOUT: {
    verdict: "fail",
    meaning: "the host did not answer in time",
    fix: "A firewall may drop the packets: try --port 443, or have 8883 let out.",
    mbedtls: -0x0044,
    sdk: -24,
  },
  // ---- TLS ----
  DOCTOR_ALPN_NEEDED: {
    verdict: "fail",
    meaning: "this port wants ALPN x-amzn-mqtt-ca, and it was not offered",
    fix: "Offer the protocol name x-amzn-mqtt-ca, as port 443 of AWS IoT demands, or use port 8883.",
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_ALPN_REFUSED: {
    verdict: "fail",
    meaning: "the server does not take the protocol name that was offered by ALPN",
    fix: "Offer x-amzn-mqtt-ca on port 443 and nothing on 8883; `mqtt` is for custom authorizers, x-amzn-http-ca for HTTPS.",
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_NOT_TLS: {
    verdict: "fail",
    meaning: "what listens at that port does not speak TLS",
    fix: "Check the port: AWS IoT takes MQTT over TLS at 8883 and 443, never at 1883.",
    mbedtls: -0x7200,
    sdk: -4,
  },
  DOCTOR_HANDSHAKE_HANGS: {
    verdict: "fail",
    meaning: "the server accepted the connection and did not finish the TLS handshake",
    fix: "Check endpoint and port: something else than a TLS server may listen there, or something on the way holds packets back.",
    mbedtls: -0x6800,
    sdk: -6,
  },
  DOCTOR_HANDSHAKE_CLOSED: {
    verdict: "fail",
    meaning: "the connection was closed in the TLS handshake without a word",
    fix: "Check endpoint and port; where a proxy or firewall inspects TLS, make an exception for the endpoint.",
    mbedtls: -0x7280,
    sdk: -4,
  },
  DOCTOR_HANDSHAKE_FAILED: {
    verdict: "fail",
    meaning: "the TLS handshake failed",
    fix: "See the evidence: the server does not speak TLS 1.2 as it should, or something on the way changes the stream.",
    sdk: -4,
  },
  DOCTOR_TLS_VERSION: {
    verdict: "fail",
    meaning: "the server does not speak TLS 1.2",
    fix: "Allow TLS 1.2 in the server's security policy: IoTSecurityPolicy_TLS13_1_2_2022_10 on AWS IoT.",
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_NO_COMMON_SUITE: {
    verdict: "fail",
    meaning: "server and device have no cipher suite, curve or signature scheme in common",
    fix: "Allow TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 in the server, on P-256.",
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_SERVER_NAME_UNKNOWN: {
    verdict: "fail",
    meaning: "the server does not know the host name that was asked for (SNI)",
    fix: "Copy the endpoint from the console of your own account and region (Settings), letter by letter.",
    factor: 1,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_SERVER_NAME_MISSING: {
    verdict: "fail",
    meaning: "the endpoint is an address, so that no host name can be asked for (SNI), and the server refuses",
    fix: "Pass the endpoint's host name: AWS IoT chooses account and certificate by it.",
    factor: 1,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_SERVER_NOT_TRUSTED: {
    verdict: "fail",
    meaning: "the server's certificate does not lead to a CA that is trusted here",
    fix: "For AWS IoT leave --ca out; for another endpoint pass its own CA with --ca. A proxy that inspects TLS shows a certificate of its own.",
    mbedtls: -0x2700,
    sdk: -4,
  },
  DOCTOR_SERVER_EXPIRED: {
    verdict: "fail",
    meaning: "the server's certificate has expired, or this machine's clock is ahead",
    fix: "Compare the clock in the evidence with the right time; where it is right, the server needs a new certificate.",
    mbedtls: -0x2700,
    sdk: -4,
  },
  DOCTOR_SERVER_NOT_YET_VALID: {
    verdict: "fail",
    meaning: "the server's certificate is not valid yet: this machine's clock is behind",
    fix: "Set the clock (NTP).",
    mbedtls: -0x2700,
    sdk: -4,
  },
  DOCTOR_SERVER_UNFIT: {
    verdict: "fail",
    meaning: "the server's certificate chain breaks a rule",
    fix: "See the evidence: the server needs another certificate, or the endpoint is a wrong one.",
    mbedtls: -0x2700,
    sdk: -4,
  },
  DOCTOR_HOST_NAME_MISMATCH: {
    verdict: "fail",
    meaning: "the server's certificate is for another name than the endpoint",
    fix: "Use a name that the certificate carries; an alias (CNAME) of your own needs a custom domain in AWS IoT.",
    factor: 1,
    mbedtls: -0x2700,
    sdk: -4,
  },
  DOCTOR_CERTIFICATE_REFUSED: {
    verdict: "fail",
    meaning: "the server does not take the device's certificate",
    fix: "In the console open Security, Certificates: a certificate with the id in the evidence must be there and ACTIVE, in the account and region of the endpoint.",
    factor: 3,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_CERTIFICATE_REVOKED: {
    verdict: "fail",
    meaning: "the server says that the device's certificate was revoked",
    fix: NEW_CERTIFICATE,
    factor: 3,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_CERTIFICATE_REFUSED_EXPIRED: {
    verdict: "fail",
    meaning: "the server says that the device's certificate has expired or is not valid yet",
    fix: NEW_CERTIFICATE,
    factor: 3,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_ISSUER_UNKNOWN: {
    verdict: "fail",
    meaning: "the server does not know the CA that signed the device's certificate",
    fix: "Register the CA with AWS IoT (with the registration code), or the certificate alone: aws iot register-certificate-without-ca.",
    factor: 3,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_SELF_SIGNED_REFUSED: {
    verdict: "fail",
    meaning: "the device's certificate is self-signed, and the server does not take it",
    fix: "Register it (aws iot register-certificate-without-ca --status ACTIVE), or use one that AWS IoT or a registered CA has signed.",
    factor: 3,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_KEY_PROOF_REFUSED: {
    verdict: "fail",
    meaning:
      "the server could not verify a signature: the CA's in the certificate, or the one made with the private key",
    fix: "The key belongs to the certificate, so most often the server trusts another CA of the same name, one that was made anew: have the certificate signed again by the CA that the server has. Otherwise the certificate's file is damaged, or something changes the stream on the way.",
    factor: 2,
    mbedtls: -0x7780,
    sdk: -4,
  },
  DOCTOR_CERTIFICATE_REFUSED_SILENTLY: {
    verdict: "fail",
    meaning: "the server closed the connection as soon as it had the device's certificate, without an alert",
    fix: "Most often it does not take the certificate: it must be registered and ACTIVE there, or signed by a CA that the server knows.",
    factor: 3,
    mbedtls: -0x7280,
    sdk: -4,
  },
  DOCTOR_SERVER_ALERT: {
    verdict: "fail",
    meaning: "the server refused the handshake with an alert",
    fix: "See the evidence for what the alert means.",
    mbedtls: -0x7780,
    sdk: -4,
  },
  // ---- MQTT ----
  DOCTOR_NOT_MQTT: {
    verdict: "fail",
    meaning: "the server speaks TLS, but not MQTT",
    fix: "Check the port: MQTT is at 8883, or at 443 with ALPN x-amzn-mqtt-ca; without ALPN 443 is HTTPS.",
    sdk: -26,
  },
  DOCTOR_CONNECT_ALERT: {
    verdict: "fail",
    meaning:
      "the handshake was complete, and CONNECT was answered with a TLS alert: the certificate is known, its thing or policy is missing or does not suffice",
    fix: "Check in this order: the certificate is ACTIVE, a policy is attached to it, the policy allows iot:Connect on client/CLIENT-ID, the thing is attached to it.",
    factor: 5,
    mbedtls: -0x7780,
    sdk: -28,
  },
  DOCTOR_CONNECT_CLOSED: {
    verdict: "fail",
    meaning:
      "the handshake was complete, and the server closed the connection instead of answering CONNECT: the certificate is known, its thing or policy is missing or does not suffice",
    fix: "Check in this order: the certificate is ACTIVE, a policy is attached to it, the policy allows iot:Connect on client/CLIENT-ID, the thing is attached to it.",
    factor: 5,
    sdk: -28,
  },
  DOCTOR_CONNECT_HANGS: {
    verdict: "fail",
    meaning: "the handshake was complete, and CONNECT was never answered",
    fix: "Check that the port is one for MQTT: 8883, or 443 with ALPN x-amzn-mqtt-ca.",
    sdk: -28,
  },
  DOCTOR_CONNECT_REFUSED_VERSION: {
    verdict: "fail",
    meaning: "the broker refuses the protocol version (CONNACK 1)",
    fix: "Enable MQTT 3.1.1 in the broker.",
    sdk: -37,
  },
  DOCTOR_CONNECT_REFUSED_CLIENT_ID: {
    verdict: "fail",
    meaning: "the broker refuses the client id (CONNACK 2)",
    fix: "Choose another one: 1 to 128 letters, digits, - and _.",
    sdk: -38,
  },
  DOCTOR_CONNECT_REFUSED_UNAVAILABLE: {
    verdict: "fail",
    meaning: "the broker says that it is unavailable (CONNACK 3)",
    fix: "Try again later.",
    sdk: -39,
  },
  DOCTOR_CONNECT_REFUSED_CREDENTIALS: {
    verdict: "fail",
    meaning: "the broker refuses the user name or password (CONNACK 4)",
    fix: "The broker wants a user name and password beside the certificate; AWS IoT does not.",
    sdk: -40,
  },
  DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED: {
    verdict: "fail",
    meaning: "the broker does not authorise this client (CONNACK 5)",
    fix: "Check that the certificate is ACTIVE and that its policy allows iot:Connect on client/CLIENT-ID.",
    factor: 5,
    sdk: -41,
  },
  DOCTOR_CONNECT_REFUSED_OTHER: {
    verdict: "fail",
    meaning: "the broker refuses the connection with a code that MQTT 3.1.1 does not define",
    fix: "See the broker's documentation for the code.",
    sdk: -36,
  },
  DOCTOR_CLIENT_ID_DENIED: {
    verdict: "fail",
    meaning: "the policy does not allow this client id, while it allows the thing's name",
    fix: "Connect with the thing's name as client id, or allow iot:Connect on client/CLIENT-ID.",
    factor: 5,
    sdk: -28,
  },
  DOCTOR_THING_NAME_CASE: {
    verdict: "warn",
    meaning: "the thing's name is spelled in another case than in the certificate: for AWS IoT these are two things",
    fix: "Spell the name exactly as in the registry.",
  },
  DOCTOR_THING_NAME_INVALID: {
    verdict: "fail",
    meaning: "no thing can have this name",
    fix: "1 to 128 letters, digits, colons, underscores and hyphens.",
    factor: 2,
  },
  DOCTOR_CONNECTION_UNSTABLE: {
    verdict: "warn",
    meaning: "the connection was lost in between, and what was under way worked when it was tried again",
    fix: "Where it happens again: another client connects with the same client id, and each throws the other out.",
    sdk: -13,
  },
  DOCTOR_CONNECTION_DROPPED: {
    verdict: "fail",
    meaning:
      "the connection is closed even while nothing is asked: most often another client connects with the same client id, and each throws the other out",
    fix: "Stop the other client, or give each one a client id of its own; to examine a thing that is connected, pass another --client-id that its policy allows.",
    sdk: -13,
  },
  DOCTOR_BROKER_UNSOUND: {
    verdict: "fail",
    meaning: "the broker breaks the rules of MQTT 3.1.1",
    fix: "See the evidence: the broker is faulty or speaks another version of MQTT, or something on the way changes the stream.",
    sdk: -26,
  },
  DOCTOR_SUBSCRIBE_CLOSED: {
    verdict: "fail",
    meaning: "the server closed the connection at SUBSCRIBE: the policy does not allow it",
    fix: `${POLICY_FIX} The resource of iot:Subscribe is topicfilter/FILTER, not topic/.`,
    factor: 5,
    sdk: -28,
  },
  DOCTOR_SUBSCRIBE_REFUSED: {
    verdict: "fail",
    meaning: "the broker refused the subscription (SUBACK 128)",
    fix: `${POLICY_FIX} The resource of iot:Subscribe is topicfilter/FILTER, not topic/.`,
    factor: 5,
    sdk: -28,
  },
  DOCTOR_SUBSCRIBE_SILENT: {
    verdict: "fail",
    meaning: "SUBSCRIBE was not acknowledged",
    fix: `The network may be slow: raise --timeout. Otherwise: ${POLICY_FIX}`,
    sdk: -28,
  },
  DOCTOR_PUBLISH_CLOSED: {
    verdict: "fail",
    meaning: "the server closed the connection at PUBLISH: the policy does not allow it",
    fix: `${POLICY_FIX} The resource of iot:Publish is topic/TOPIC.`,
    factor: 5,
    sdk: -28,
  },
  DOCTOR_PUBLISH_SILENT: {
    verdict: "fail",
    meaning: "PUBLISH was not acknowledged",
    fix: `The network may be slow: raise --timeout. Otherwise: ${POLICY_FIX}`,
    sdk: -28,
  },
  DOCTOR_RECEIVE_SILENT: {
    verdict: "fail",
    meaning: "subscribing and publishing work, and no message comes back: the policy does not allow iot:Receive",
    fix: `${POLICY_FIX} The resource of iot:Receive is topic/TOPIC, and it is checked at each delivery. Other brokers than AWS IoT also drop what may not be published without a word, and have no shadow service.`,
    factor: 5,
  },
  DOCTOR_RECEIVE_CLOSED: {
    verdict: "fail",
    meaning: "the connection was closed while the message was awaited",
    fix: POLICY_FIX,
    factor: 5,
    sdk: -13,
  },
  // ---- the shadow ----
  DOCTOR_SHADOW_REFUSED: {
    verdict: "fail",
    meaning: "the shadow service refused the request",
    fix: "See the code and text of the service in the evidence.",
  },
  DOCTOR_SHADOW_UNREADABLE: {
    verdict: "fail",
    meaning: "what came on the shadow's topic is no answer of a shadow service",
    fix: "Something else publishes on the reserved topics of the shadow: look for it in the broker.",
  },
  DOCTOR_NO_SHADOW_SERVICE: {
    verdict: "warn",
    meaning: "the broker has no shadow service",
    fix: "Messages work. For the shadow connect to AWS IoT or to `thingwire simulate`.",
  },
} as const satisfies Record<string, CauseRow>;

/** A key of {@link causes}. */
export type Cause = keyof typeof causes;
