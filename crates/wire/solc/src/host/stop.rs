//! Reasons for which the host ends a call into the compiler.

/// What travels through the compiler's frames as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    /// A C++ exception on its way to the next `invoke_*`.
    #[error("uncaught C++ exception")]
    CppException,
    /// The time is up.
    #[error("out of time")]
    Timeout,
    /// `abort`, `exit` or `proc_exit`.
    #[error("the compiler ended itself")]
    Exit,
    /// A rethrow or the end of a catch without an exception.
    #[error("no exception to handle")]
    NoException,
    /// An address or table index outside.
    #[error("address out of range")]
    BadAddress,
    /// A call with other types than its name says.
    #[error("call with another signature")]
    BadSignature,
    /// A signal handler was called, which nothing here can cause.
    #[error("unexpected call of the host")]
    Unexpected,
    /// The module has an import that the host does not know.
    #[error("unknown import")]
    UnknownImport,
    /// The module lacks an export.
    #[error("missing export")]
    MissingExport,
    /// The answer is too long.
    #[error("answer too long")]
    AnswerTooLong,
}
