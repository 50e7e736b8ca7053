using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From secrets as scripts hold them to those that the engine takes.</summary>
internal static class SecretConversion
{
    /// <summary>The text of a secret; null for none.</summary>
    [return: NotNullIfNotNull(nameof(secret))]
    public static string? ToPlain(this SecureString? secret) => secret is null ? null : new NetworkCredential("", secret).Password;
}
