using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>The errors of the pipe itself.</summary>
internal static class PipeErrors
{
    private const string Again = "Run the job again: what had arrived is used.";

    /// <summary>The other side sent what no version of the protocol allows.</summary>
    public static BackupException Garbled(string what) => new(
        BackupErrorId.VaultProgramUnusable,
        $"The other side of the pipe sent {what}: something else writes to it, or the program there is damaged.",
        "See that nothing that a login there runs writes to standard output (a shell's start files), and that both sides have the same version of obengine.");

    /// <summary>The first bytes were not a greeting.</summary>
    public static BackupException NotObengine(ReadOnlySpan<byte> said) => new(
        BackupErrorId.VaultProgramUnusable,
        $"What answers is not 'obengine serve store': it began with '{Printable(said)}'.",
        "See that obengine is installed there, and that nothing that a login runs writes to standard output (a shell's start files).");

    /// <summary>Both sides have no version in common.</summary>
    public static BackupException OtherVersion(int least, int most) => new(
        BackupErrorId.VaultProgramUnusable,
        $"The program on the other side speaks version {(least == most ? $"{least}" : $"{least} to {most}")} of the protocol, this one version {PipeGreeting.Version}.",
        "Bring both sides to the same version of MSOnlineBackup.");

    /// <summary>What the other side said of its vault. Paths in it are paths there.</summary>
    public static BackupException Told(string location, BackupException said) => new(
        said.Id, $"From '{location}': {said.Message}", said.RecommendedAction, said.Target, said.IsTransient, said.InnerException, said.ErrorCode, said.RetryAfter);

    /// <summary>No greeting came.</summary>
    public static BackupException Silent(string location, TimeSpan limit) => new(
        BackupErrorId.VaultUnreachable,
        $"The program that has the vault '{location}' did not answer within {limit.TotalSeconds:0} seconds.",
        "Check the network and the other machine, and that nothing asks for a password or waits for somebody there.",
        location,
        transient: true);

    /// <summary>An end that its way could not explain.</summary>
    public static BackupException Unexplained(BackupException end, Exception cause) => new(
        end.Id,
        end.Message,
        end.RecommendedAction,
        end.Target,
        end.IsTransient,
        end.InnerException is { } first ? new AggregateException(first, cause) : cause,
        end.ErrorCode,
        end.RetryAfter);

    /// <summary>The pipe ended, or broke.</summary>
    public static BackupException Broken(string location, Exception? cause = null) => new(
        BackupErrorId.VaultUnreachable,
        $"The connection to the vault '{location}' was cut{(cause is null ? "" : $": {cause.Message.TrimEnd('.')}")}.",
        $"Check the network, and the machine that has the vault. {Again}",
        location,
        transient: true,
        innerException: cause);

    /// <summary>A name that the policy of the server keeps from this peer.</summary>
    public static BackupException Refused(string verb, string name, string why) => new(
        BackupErrorId.VaultAccessDenied,
        $"The server of the vault does not let this machine {verb} '{name}': {why}.",
        "Do this on the machine that has the vault, or with an access that is not limited by --machine.",
        name);

    /// <summary>An object under a session that this connection has not announced.</summary>
    public static BackupException ForeignSession(string name) => new(
        BackupErrorId.VaultAccessDenied,
        $"The server of the vault does not let this machine create '{name}': its session was not begun over this connection.",
        $"If the connection was cut: {char.ToLowerInvariant(Again[0])}{Again[1..]}",
        name);

    /// <summary>A question for an order, to a server that has none, or has given it.</summary>
    public static BackupException NoOrder() => new(
        BackupErrorId.VaultAccessDenied,
        "The server of the vault has no order for this machine.",
        "A server starts 'obengine serve backup' itself ('obengine agent backup'). To back up into a vault of another machine, use 'obengine backup --vault ssh://…'.");

    /// <summary>A name that is none, from a peer that does not check its own.</summary>
    public static BackupException IllegalName() => new(
        BackupErrorId.VaultAccessDenied, "The name of an object is not valid.", "Bring both sides to the same version of MSOnlineBackup.");

    /// <summary>An object that is larger than any that a vault has.</summary>
    public static BackupException TooLarge(string name, long length) => new(
        BackupErrorId.VaultAccessDenied,
        $"'{name}' has {length} bytes; at most {PipedVaultServer.MostContent} are taken at once over a pipe.",
        "Bring both sides to the same version of MSOnlineBackup.",
        name);

    private static string Printable(ReadOnlySpan<byte> said)
    {
        var text = new StringBuilder();
        foreach (byte b in said)
        {
            text.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
        }

        return text.ToString();
    }
}
