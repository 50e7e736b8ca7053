namespace MSOnlineBackup;

/// <summary>Which versions are at work.</summary>
public sealed class OBVersion
{
    /// <summary>That of the module, by its manifest.</summary>
    public Version Module { get; internal init; } = new();

    /// <summary>That of the engine, which writes it into every recovery point.</summary>
    public string Engine { get; internal init; } = "";

    /// <summary>The newest format of vaults that it reads and writes.</summary>
    public int Format { get; internal init; }

    /// <summary>The format of this machine's vault; null where it is not registered, or the vault cannot be reached.</summary>
    public int? VaultFormat { get; internal init; }

    /// <summary>The oldest version that may write to this machine's vault; null where any may, it is not registered, or the vault cannot be reached.</summary>
    public Version? VaultMinAgentVersion { get; internal init; }

    /// <summary>Whether this version may write to this machine's vault; null where that is not known.</summary>
    public bool? IsAccepted { get; internal init; }

    /// <summary>That of PowerShell.</summary>
    public Version PowerShell { get; internal init; } = new();

    /// <summary>That of .NET.</summary>
    public Version DotNet { get; internal init; } = new();

    /// <summary>The operating system.</summary>
    public string OperatingSystem { get; internal init; } = "";

    /// <summary>The module's, as in "0.1.0".</summary>
    public override string ToString() => Module.ToString();
}
