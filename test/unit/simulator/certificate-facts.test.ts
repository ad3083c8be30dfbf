/** What policies learn of a certificate, held against the example of AWS's guide ("Using X.509 certificate policy variables"). */
import { expect, it } from "vitest";
import { certificateFacts } from "../../../src/simulator/certificate-facts.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { parsePem } from "../../../src/tls/x509/pem.ts";

/** Made by openssl with the names of the guide's example; serial number 92:12:85:cb:b7:a5:e0:86. */
const PEM = `
-----BEGIN CERTIFICATE-----
MIIDTDCCAvKgAwIBAgIJAJIShcu3peCGMAoGCCqGSM49BAMCMGUxCzAJBgNVBAYT
AlVTMRQwEgYDVQQKDAtJb1QgRGV2aWNlczESMBAGA1UECwwJU21hcnRIb21lMQsw
CQYDVQQIDAJXQTEfMB0GA1UEAwwWSW9UIERldmljZXMgUHJpbWFyeSBDQTAgFw0y
NjExMjUwMzI5NTVaGA8yMTI2MTEwMTAzMjk1NVowgfYxCzAJBgNVBAYTAlVTMRQw
EgYDVQQKDAtJb1QgRGV2aWNlczEPMA0GA1UECgwGU2Vjb25kMRIwEAYDVQQLDAlM
aWdodEJ1bGIxCzAJBgNVBAgMAk5ZMR4wHAYDVQQDDBVMaWdodEJ1bGIgRGV2aWNl
IENlcnQxDTALBgNVBCoMBEJ1bGIxCzAJBgNVBCsMAlpaMRAwDgYDVQQuEwdCdWxi
MDAxMRQwEgYDVQQEDAtNdWx0aSBDb2xvcjEMMAoGA1UEDAwDUkdCMRMwEQYDVQRB
DApSR0IgRGV2aWNlMQowCAYDVQQsDAE0MQwwCgYDVQQFEwMxMjMwWTATBgcqhkjO
PQIBBggqhkjOPQMBBwNCAATFuVZ/hlNmMdpHq4X1QUZlBHAbMFEzOok3nq5RORN1
nUZ1AbVUUt9zcGS+76m59tmhHSCG/6SvNZmirwjakCDpo4H2MIHzMAkGA1UdEwQC
MAAwgaUGA1UdEQSBnTCBmoILZXhhbXBsZS5jb22CDnNlY29uZC5leGFtcGxlhwQB
AgMEhhVSZXNvdXJjZUlkZW50aWZpZXIwMDGBE2RldmljZTFAZXhhbXBsZS5jb22k
STBHMQswCQYDVQQGEwJVUzEMMAoGA1UECgwDSW9UMRIwEAYDVQQLDAlTbWFydEhv
bWUxFjAUBgNVBAMMDUxpZ2h0QnVsYkNlcnQwHQYDVR0OBBYEFCHHsMsSu7mDe4R6
Ynkj2sl6XH6aMB8GA1UdIwQYMBaAFDPBfah3dqQiw7mZLc3H4nTc0AIIMAoGCCqG
SM49BAMCA0gAMEUCIQCO5120hTLMIP6Wy+6jUVB+eRb7jcoDb7jo0XrPVcKeEwIg
Lmgb6/jquXiRfMCW1YaV7Gdxd62EjLotoni2Pqc8Aj8=
-----END CERTIFICATE-----
`;

const certificate = parseCertificate(parsePem(PEM)[0]!.der);

it("§8 iot:Certificate.*: each name of the subject and the issuer, all values of one that comes twice", () => {
  expect(certificateFacts(certificate, "id")).toMatchObject({
    id: "id",
    subject: {
      Country: ["US"],
      Organization: ["IoT Devices", "Second"],
      OrganizationalUnit: ["LightBulb"],
      State: ["NY"],
      CommonName: ["LightBulb Device Cert"],
      GivenName: ["Bulb"],
      Initials: ["ZZ"],
      DistinguishedNameQualifier: ["Bulb001"],
      Surname: ["Multi Color"],
      Title: ["RGB"],
      Pseudonym: ["RGB Device"],
      GenerationQualifier: ["4"],
      SerialNumber: ["123"],
    },
    issuer: { Country: ["US"], State: ["WA"], CommonName: ["IoT Devices Primary CA"] },
  });
});

it("§8 iot:Certificate.Subject.AlternativeName.*: all kinds, a directory name from its end", () => {
  expect(certificateFacts(certificate, "id").subjectAlternativeName).toEqual({
    DNSName: ["example.com", "second.example"],
    IPAddress: ["1.2.3.4"],
    RFC822Name: ["device1@example.com"],
    UniformResourceIdentifier: ["ResourceIdentifier001"],
    DirectoryName: ["cn=LightBulbCert,ou=SmartHome,o=IoT,c=US"],
  });
});

it("§8 iot:Certificate.SerialNumber is decimal", () => {
  expect(certificateFacts(certificate, "id").serialNumber).toBe("10525622389124227206");
  const of = (...octets: number[]) =>
    certificateFacts({ ...certificate, serialNumber: Uint8Array.from(octets) }, "id").serialNumber;
  expect([of(0), of(0x7f), of(0, 0x80), of(0xff)]).toEqual(["0", "127", "128", "-1"]);
});
