//! Draws the secret, uses it once, erases it. The only code that ever holds it.
