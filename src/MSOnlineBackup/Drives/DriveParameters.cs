using System.Management.Automation;
using System.Security;
using System.Text;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Drives;

/// <summary>What <c>New-PSDrive</c> takes for drives of recovery points.</summary>
public sealed class NewDriveParameters
{
    /// <summary>The machine whose points are meant; this one, if it is not given.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MachineNameCompleter))]
    public string MachineName { get; set; } = "";

    /// <summary>The credential file of the vault; the vault that this machine is registered with, if it is not given.</summary>
    [Parameter]
    public string VaultCredentials { get; set; } = "";

    /// <summary>The passphrase of the machine that the points are of; this machine's own key, if it is not given. It is kept in memory until the drive is removed.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }
}

/// <summary>What <c>Get-ChildItem</c> takes on drives of recovery points.</summary>
public sealed class ChildItemParameters
{
    /// <summary>Only what is no folder.</summary>
    [Parameter]
    public SwitchParameter File { get; set; }

    /// <summary>Only folders.</summary>
    [Parameter]
    [Alias("ad")]
    public SwitchParameter Directory { get; set; }

    /// <summary>Only what is hidden.</summary>
    [Parameter]
    [Alias("ah")]
    public SwitchParameter Hidden { get; set; }

    /// <summary>What was asked for. Where the path came by the pipeline, PowerShell has asked the provider of the current location for the parameters: those of files are alike.</summary>
    internal static ChildItemParameters From(object? given) => given as ChildItemParameters ?? new ChildItemParameters
    {
        File = Foreign.Switch(given, nameof(File)),
        Directory = Foreign.Switch(given, nameof(Directory)),
        Hidden = Foreign.Switch(given, nameof(Hidden)),
    };

    /// <summary>Whether an item is wanted.</summary>
    /// <param name="place">The item.</param>
    /// <param name="isForced">Whether hidden ones are wanted with the others.</param>
    internal bool Wants(DrivePlace place, bool isForced) =>
        !(File && place.Item.IsFolder)
        && !(Directory && !place.Item.IsFolder)
        && (Hidden ? place.IsHidden : isForced || !place.IsHidden);
}

/// <summary>What <c>Get-Content</c> takes on drives of recovery points.</summary>
public sealed class ReadContentParameters
{
    /// <summary>What lines end with, instead of line ends.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Delimiter { get; set; }

    /// <summary>The text's encoding, where it does not begin with a mark that tells: a name, or a number of a code page. UTF-8, if it is not given.</summary>
    [Parameter]
    [TextEncoding]
    [ArgumentCompleter(typeof(EncodingCompleter))]
    public Encoding? Encoding { get; set; }

    /// <summary>All of it as one text, or one array of bytes.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <summary>Bytes, not text.</summary>
    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    /// <inheritdoc cref="ChildItemParameters.From"/>
    internal static ReadContentParameters From(object? given) => given as ReadContentParameters ?? new ReadContentParameters
    {
        // Lines are what files have where nothing was said.
        Delimiter = Foreign.Value(given, nameof(Delimiter)) is string delimiter and not "\n" ? delimiter : null,
        Encoding = Foreign.Value(given, nameof(Encoding)) as Encoding,
        Raw = Foreign.Switch(given, nameof(Raw)),
        AsByteStream = Foreign.Switch(given, nameof(AsByteStream)),
    };
}

/// <summary>Parameters of another provider, by their names.</summary>
internal static class Foreign
{
    /// <summary>A parameter's value; null where there is none of this name.</summary>
    public static object? Value(object? given, string name) => given is null ? null : PSObject.AsPSObject(given).Properties[name]?.Value;

    /// <summary>Whether a switch is on.</summary>
    public static bool Switch(object? given, string name) => Value(given, name) switch { SwitchParameter on => on, bool on => on, _ => false };
}
