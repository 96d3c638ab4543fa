package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// A certificate lives as long as its sandbox; a year is for clocks that are wrong.
const lifetime = 365 * 24 * time.Hour

// newCertificatesCommand writes ca, apiserver, kubelet and admin (.crt and .key) and service-accounts.key into a folder.
func newCertificatesCommand() *cobra.Command {
	var folder string
	var names []string
	var addresses []net.IP
	command := &cobra.Command{
		Use:           "certificates",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			return writeCertificates(folder, names, addresses)
		},
	}
	command.Flags().StringVar(&folder, "dir", ".", "folder to write to")
	command.Flags().StringSliceVar(&names, "names", nil, "host names the servers are reached by")
	command.Flags().IPSliceVar(&addresses, "addresses", nil, "addresses the servers are reached by")
	return command
}

func writeCertificates(folder string, names []string, addresses []net.IP) error {
	authority := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "sandbox"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	authorityKey, err := write(folder, "ca", authority, authority, nil)
	if err != nil {
		return err
	}
	for _, name := range []string{"apiserver", "kubelet"} {
		server := &x509.Certificate{
			Subject:     pkix.Name{CommonName: name},
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			DNSNames:    names,
			IPAddresses: addresses,
		}
		if _, err := write(folder, name, server, authority, authorityKey); err != nil {
			return err
		}
	}
	admin := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if _, err := write(folder, "admin", admin, authority, authorityKey); err != nil {
		return err
	}
	_, err = writeKey(folder, "service-accounts")
	return err
}

// write makes a key and its certificate, signed by the authority, or by itself when authorityKey is nil.
func write(folder, name string, certificate, authority *x509.Certificate, authorityKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	key, err := writeKey(folder, name)
	if err != nil {
		return nil, err
	}
	if authorityKey == nil {
		authorityKey = key
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("serial number of %s: %w", name, err)
	}
	certificate.SerialNumber = serial
	certificate.NotBefore = time.Now().Add(-time.Hour)
	certificate.NotAfter = time.Now().Add(lifetime)
	der, err := x509.CreateCertificate(rand.Reader, certificate, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return key, writePEM(folder, name+".crt", "CERTIFICATE", der)
}

func writeKey(folder, name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	return key, writePEM(folder, name+".key", "EC PRIVATE KEY", der)
}

func writePEM(folder, file, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return os.WriteFile(filepath.Join(folder, file), text, 0o600)
}
