using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// The machine's own secret: 32 random bytes in a file that only its owner reads, and on Windows sealed by the system besides.
/// What it wraps is of no use on another machine.
/// </summary>
internal sealed class MachineSecret(StateFolder folder, ISecretProtection protection)
{
    private const int Length = 32;

    private readonly StateFile<SecretState> _file = new(
        folder,
        "secret.json",
        StateJson.Default.SecretState,
        "delete it, re-create the key file with 'Repair-OBKey', and set the proxy password again");

    /// <summary>The key for one purpose; the secret is made with the first.</summary>
    public byte[] DeriveKey(string purpose) => Derive(
        _file.Read() ?? _file.Update(existing => existing ?? new SecretState(protection.Protect(RandomNumberGenerator.GetBytes(Length)))),
        purpose);

    /// <summary>The key for one purpose; null where there is no secret, so that nothing can be opened by it.</summary>
    public byte[]? FindKey(string purpose) => _file.Read() is { } state ? Derive(state, purpose) : null;

    private byte[] Derive(SecretState state, string purpose)
    {
        byte[] secret = protection.Unprotect(state.Secret);
        return HKDF.Expand(
            HashAlgorithmName.SHA256, HKDF.Extract(HashAlgorithmName.SHA256, secret), 32, Encoding.ASCII.GetBytes("MSOnlineBackup/machine/1/" + purpose));
    }

    /// <summary>Wraps a text for one purpose, and for what it is bound to.</summary>
    public byte[] Wrap(string purpose, string boundTo, string text) =>
        SaltedSeal.Seal(DeriveKey(purpose), Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(boundTo));

    /// <summary>Unwraps it; null where the secret, what it is bound to or any byte is another.</summary>
    public string? TryUnwrap(string purpose, string boundTo, byte[] wrapped) =>
        SaltedSeal.TryOpen(DeriveKey(purpose), wrapped, Encoding.UTF8.GetBytes(boundTo)) is { } text ? Encoding.UTF8.GetString(text) : null;
}

/// <summary>What <c>secret.json</c> holds.</summary>
internal sealed record SecretState(byte[] Secret);
