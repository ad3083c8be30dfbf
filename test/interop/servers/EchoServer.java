import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509KeyManager;

/**
 * TLS 1.2 server of the JDK: demands a certificate of the CA, and answers a line with the same one, as often as it takes to fill so many
 * bytes. One connection after the other. Says of each whether it was resumed: only a full handshake asks for a key.
 *
 * Arguments: port, PKCS #12 file with key and CA, bytes of an answer.
 */
public class EchoServer {
  static final char[] PASSWORD = "x".toCharArray();

  public static void main(String[] words) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream file = new FileInputStream(words[1])) {
      store.load(file, PASSWORD);
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, PASSWORD);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    AskedKeyManager asked = new AskedKeyManager((X509KeyManager) keys.getKeyManagers()[0]);
    SSLContext context = SSLContext.getInstance("TLSv1.2");
    context.init(new KeyManager[] {asked}, trust.getTrustManagers(), null);

    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    int port = Integer.parseInt(words[0]);
    SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 50, loopback);
    server.setNeedClientAuth(true);
    server.setEnabledProtocols(new String[] {"TLSv1.2"});
    server.setEnabledCipherSuites(server.getSupportedCipherSuites());
    while (true) {
      asked.isAsked = false;
      try (SSLSocket socket = (SSLSocket) server.accept()) {
        socket.setTcpNoDelay(true);
        socket.startHandshake();
        System.out.println(asked.isAsked ? "full" : "resumed");
        echo(socket, Integer.parseInt(words[2]));
        System.out.println("closed");
      } catch (Exception problem) {
        System.out.println(problem);
      }
    }
  }

  static void echo(SSLSocket socket, int size) throws Exception {
    InputStream in = socket.getInputStream();
    OutputStream out = socket.getOutputStream();
    byte[] line = new byte[65536];
    int length = 0;
    for (int read = in.read(line); read > 0; read = in.read(line, length, line.length - length)) {
      length += read;
      if (line[length - 1] != '\n') continue;
      byte[] answer = new byte[Math.max(1, (size + length - 1) / length) * length];
      for (int at = 0; at < answer.length; at += length) System.arraycopy(line, 0, answer, at, length);
      out.write(answer);
      length = 0;
    }
  }

  /** Notes that a key was asked for. */
  static class AskedKeyManager extends X509ExtendedKeyManager {
    final X509KeyManager keys;
    boolean isAsked = false;

    AskedKeyManager(X509KeyManager keys) {
      this.keys = keys;
    }

    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      isAsked = true;
      return keys.chooseServerAlias(type, issuers, socket);
    }

    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
      isAsked = true;
      return keys.chooseServerAlias(type, issuers, null);
    }

    public String[] getServerAliases(String type, Principal[] issuers) {
      return keys.getServerAliases(type, issuers);
    }

    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return keys.chooseClientAlias(types, issuers, socket);
    }

    public String[] getClientAliases(String type, Principal[] issuers) {
      return keys.getClientAliases(type, issuers);
    }

    public X509Certificate[] getCertificateChain(String alias) {
      return keys.getCertificateChain(alias);
    }

    public PrivateKey getPrivateKey(String alias) {
      return keys.getPrivateKey(alias);
    }
  }
}
