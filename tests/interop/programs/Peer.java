// Java's JSSE as a peer: see tests/interop/matrix/peers/own.rs for the command line. Certificates and keys are PKCS #12 files here.

import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Peer {
    static final char[] PASSWORD = "peer".toCharArray();
    static final Map<String, String> asked = new HashMap<>();

    public static void main(String[] words) throws Exception {
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            asked.put(pair[0], pair[1]);
        }
        if (asked.containsKey("rekey")) {
            // A new key after so many bytes, which is a KeyUpdate for each record.
            Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 10");
            System.err.println("rekeyed");
        }
        if (asked.containsKey("groups")) {
            System.setProperty("jdk.tls.namedGroups", asked.get("groups"));
        }
        switch (words[0]) {
            case "version" -> System.out.println(System.getProperty("java.version"));
            case "client" -> {
                try {
                    client();
                } catch (Exception error) {
                    System.err.println("failed " + error);
                    System.exit(1);
                }
            }
            default -> server();
        }
    }

    static Certificate[] certificates(String file) throws Exception {
        try (InputStream pem = new FileInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(pem).toArray(new Certificate[0]);
        }
    }

    static PrivateKey key(String file, Certificate of) throws Exception {
        String pem = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----|\\s", "");
        String algorithm = of.getPublicKey().getAlgorithm();
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    static SSLContext context() throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, PASSWORD);
        if (asked.containsKey("cert")) {
            Certificate[] chain = certificates(asked.get("cert"));
            own.setKeyEntry("own", key(asked.get("key"), chain[0]), PASSWORD, chain);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, PASSWORD);
        String ca = asked.getOrDefault("ca", asked.get("client-ca"));
        if (ca != null) {
            trusted.setCertificateEntry("ca", certificates(ca)[0]);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), ca == null ? null : trust.getTrustManagers(), null);
        return context;
    }

    static SSLParameters parameters(SSLParameters parameters) {
        parameters.setProtocols(new String[] {"TLSv1.3"});
        if (asked.containsKey("suite")) {
            parameters.setCipherSuites(new String[] {asked.get("suite")});
        }
        if (asked.containsKey("alpn")) {
            parameters.setApplicationProtocols(asked.get("alpn").split(","));
        }
        if (asked.containsKey("client-ca")) {
            parameters.setNeedClientAuth(true);
        }
        return parameters;
    }

    static SSLSocket connect(SSLContext context) throws Exception {
        // The address has the name, which is sent and verified.
        InetAddress address = InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1});
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
        SSLParameters parameters = parameters(socket.getSSLParameters());
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.connect(new java.net.InetSocketAddress(address, Integer.parseInt(asked.get("port"))));
        socket.startHandshake();
        System.err.println("connected " + socket.getSession().getCipherSuite());
        return socket;
    }

    static void client() throws Exception {
        SSLContext context = context();
        if (asked.containsKey("resume")) {
            SSLSocket first = connect(context);
            first.getOutputStream().write("first\n".getBytes());
            first.getInputStream().readNBytes(6);
            first.close();
        }
        SSLSocket socket = connect(context);
        Thread sending = new Thread(() -> {
            try {
                copy(System.in, socket.getOutputStream());
                socket.shutdownOutput();
            } catch (Exception error) {
                System.err.println("failed " + error);
                System.exit(1);
            }
        });
        sending.setDaemon(true);
        sending.start();
        copy(socket.getInputStream(), System.out);
        socket.close();
    }

    static void copy(InputStream from, OutputStream to) throws Exception {
        byte[] bytes = new byte[16384];
        for (int n; (n = from.read(bytes)) > 0; ) {
            to.write(bytes, 0, n);
            to.flush();
        }
    }

    static void server() throws Exception {
        SSLContext context = context();
        InetAddress local = InetAddress.getByName("127.0.0.1");
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 50, local);
        listener.setSSLParameters(parameters(listener.getSSLParameters()));
        System.out.println("listening on " + listener.getLocalPort() + ".");
        while (true) {
            SSLSocket socket = (SSLSocket) listener.accept();
            new Thread(() -> {
                try (socket) {
                    copy(socket.getInputStream(), socket.getOutputStream());
                } catch (Exception error) {
                    System.err.println("failed " + error);
                }
            }).start();
        }
    }
}
