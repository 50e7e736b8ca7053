namespace MSOnlineBackup.Agent.Machine;

/// <summary>What the operating system adds to a file's permissions to protect a secret.</summary>
internal interface ISecretProtection
{
    /// <summary>That of this platform.</summary>
    static ISecretProtection Current { get; } = OperatingSystem.IsWindows() ? new WindowsSecretProtection() : new NoSecretProtection();

    byte[] Protect(byte[] secret);

    byte[] Unprotect(byte[] stored);
}

/// <summary>Where the file's mode (0600) is the protection.</summary>
internal sealed class NoSecretProtection : ISecretProtection
{
    public byte[] Protect(byte[] secret) => secret;

    public byte[] Unprotect(byte[] stored) => stored;
}
