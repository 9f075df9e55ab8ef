// Go's crypto/tls as a peer: see tests/interop/matrix/peers/own.rs for the command line.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
)

var groups = map[string]tls.CurveID{
	"X25519MLKEM768": tls.X25519MLKEM768,
	"x25519":         tls.X25519,
	"secp256r1":      tls.CurveP256,
	"secp384r1":      tls.CurveP384,
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed", err)
		os.Exit(1)
	}
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	check(err)
	certificates := x509.NewCertPool()
	certificates.AppendCertsFromPEM(pem)
	return certificates
}

func config(asked map[string]string) *tls.Config {
	made := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "localhost"}
	if asked["cert"] != "" {
		pair, err := tls.LoadX509KeyPair(asked["cert"], asked["key"])
		check(err)
		made.Certificates = []tls.Certificate{pair}
	}
	if asked["ca"] != "" {
		made.RootCAs = pool(asked["ca"])
	}
	if asked["client-ca"] != "" {
		made.ClientCAs = pool(asked["client-ca"])
		made.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if asked["alpn"] != "" {
		made.NextProtos = strings.Split(asked["alpn"], ",")
	}
	if asked["groups"] != "" {
		for _, name := range strings.Split(asked["groups"], ",") {
			made.CurvePreferences = append(made.CurvePreferences, groups[name])
		}
	}
	return made
}

func dial(asked map[string]string, with *tls.Config) *tls.Conn {
	conn, err := tls.Dial("tcp", "127.0.0.1:"+asked["port"], with)
	check(err)
	state := conn.ConnectionState()
	fmt.Fprintln(os.Stderr, "connected", tls.CipherSuiteName(state.CipherSuite), "resumed", state.DidResume)
	return conn
}

func client(asked map[string]string) {
	with := config(asked)
	if asked["resume"] != "" {
		with.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		first := dial(asked, with)
		_, err := first.Write([]byte("first\n"))
		check(err)
		_, err = io.ReadFull(first, make([]byte, 6))
		check(err)
		check(first.Close())
	}
	conn := dial(asked, with)
	go func() {
		_, err := io.Copy(conn, os.Stdin)
		check(err)
		check(conn.CloseWrite())
	}()
	_, err := io.Copy(os.Stdout, conn)
	check(err)
	conn.Close()
}

func serve(conn *tls.Conn) {
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		fmt.Fprintln(os.Stderr, "refused", err)
		// So that the alert arrives.
		if socket, is := conn.NetConn().(*net.TCPConn); is {
			socket.CloseWrite()
			io.Copy(io.Discard, socket)
		}
		return
	}
	state := conn.ConnectionState()
	fmt.Fprintln(os.Stderr, "accepted", tls.CipherSuiteName(state.CipherSuite), "resumed", state.DidResume)
	io.Copy(conn, conn)
}

func main() {
	asked := map[string]string{}
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		asked[name] = value
	}
	switch os.Args[1] {
	case "version":
		fmt.Println(runtime.Version())
	case "client":
		client(asked)
	case "server":
		listener, err := tls.Listen("tcp", "127.0.0.1:0", config(asked))
		check(err)
		fmt.Printf("listening on %d.\n", listener.Addr().(*net.TCPAddr).Port)
		for {
			conn, err := listener.Accept()
			check(err)
			go serve(conn.(*tls.Conn))
		}
	}
}
