//! A text as the squares that a camera reads (QR code), as a picture of its own address:
//! nothing inline, no script.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::error::Fault;

/// White around the squares, so that cameras find them.
const QUIET: i32 = 4;

/// The picture as SVG, dark on white in any colour scheme.
pub(super) fn squares(text: &str) -> Result<String, Fault> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|_| Fault::Broken(anyhow::anyhow!("an address is too long for a picture")))?;
    let size = code.size();
    let path = (0..size)
        .flat_map(|y| (0..size).map(move |x| (x, y)))
        .filter(|(x, y)| code.get_module(*x, *y))
        .fold(String::new(), |path, (x, y)| {
            path + &format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)
        });
    let whole = size + 2 * QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_squares_on_white_and_nothing_else() {
        let svg = squares("otpauth://totp/Booking:a%40b.example?secret=AAAA").unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(svg.matches("h1v1h-1z").count() > 200);
        assert!(!svg.contains("otpauth") && !svg.contains("<script"));
    }
}
