using System.Security.Cryptography;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>The public key by which a host proves that it is itself.</summary>
/// <param name="Kind">As in <c>ssh-ed25519</c>.</param>
/// <param name="Key">In Base64, as files of known hosts have it.</param>
public sealed record HostKey(string Kind, string Key)
{
    // HOST KIND KEY [COMMENT]
    private const int FieldsOfLine = 3;

    /// <summary>As in <c>SHA256:…</c>, which is what ssh and ssh-keygen show.</summary>
    public string Fingerprint => $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(Key))).TrimEnd('=')}";

    /// <summary>For people, as in <c>ED25519 SHA256:…</c>.</summary>
    public override string ToString() => $"{Kind.Replace("ssh-", "", StringComparison.Ordinal).ToUpperInvariant()} {Fingerprint}";

    /// <summary>The first key in a file of known hosts; null where there is none.</summary>
    public static HostKey? Find(string knownHosts)
    {
        ArgumentNullException.ThrowIfNull(knownHosts);
        return knownHosts.Split('\n').Select(line => line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length >= FieldsOfLine && fields[0][0] is not ('#' or '@') && IsKey(fields[2]))
            .Select(fields => new HostKey(fields[1], fields[2]))
            .FirstOrDefault();
    }

    /// <summary>A line for a file of known hosts.</summary>
    internal string LineFor(string alias) => $"{alias} {Kind} {Key}\n";

    private static bool IsKey(string text) => Convert.TryFromBase64String(text, new byte[text.Length], out int length) && length > 0;
}

/// <summary>What a host shows of itself before anybody logs in.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Known">The key that is pinned; null for none.</param>
/// <param name="Shown">The key that it shows; null where it was not asked, as its key is pinned, or cannot be reached.</param>
/// <param name="Failure">Why it cannot be asked; null where it was, or need not be.</param>
public sealed record HostKeyCheck(RemoteMachine Machine, HostKey? Known, HostKey? Shown, Vaults.Errors.BackupException? Failure);
