//! TLS as AWS serves it: HTTP/2 first, by a certificate that is made anew at each start and signs itself. Whoever is to trust it reads it as
//! PEM from where the settings say.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Whom the certificate is for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// What is spoken inside, in order of preference.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How the services speak TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Where the certificate is written, for clients to trust.
    pub certificate: PathBuf,
}

/// Makes a certificate, writes it down, and gives what serves with it.
pub(crate) fn acceptor(settings: &TlsSettings) -> io::Result<TlsAcceptor> {
    let names: Vec<String> = NAMES.map(str::to_owned).into();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).map_err(io::Error::other)?;
    write(&settings.certificate, &cert.pem())?;
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(io::Error::other)?;
    let certificate = CertificateDer::from(cert.der().to_vec());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn write(path: &Path, pem: &str) -> io::Result<()> {
    let told = |cause: io::Error| io::Error::new(cause.kind(), format!("cannot write {}: {cause}", path.display()));
    std::fs::write(path, pem).map_err(told)
}
