using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Machine;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Agent.Health;

/// <summary>What the checks take from the machine around them; a test has others.</summary>
internal sealed record HealthParts
{
    // Shorter values, as of "KEY=1", would tear holes into every text.
    private const int LeastSecret = 8;

    private static readonly string[] _secretNames = ["PASS", "SECRET", "TOKEN", "KEY", "SAS", "CREDENTIAL"];

    /// <summary>Those of this machine.</summary>
    public static HealthParts OfMachine => new();

    /// <summary>Which system this is.</summary>
    public SystemIdentity System { get; init; } = SystemIdentity.Current;

    /// <summary>Whether the process has 64 bits.</summary>
    public bool Is64Bit { get; init; } = Environment.Is64BitProcess;

    /// <summary>The runtime.</summary>
    public Version Runtime { get; init; } = Environment.Version;

    /// <summary>Whether the process may do everything.</summary>
    public bool IsPrivileged { get; init; } = Environment.IsPrivilegedProcess;

    /// <summary>Whether keys can be derived by Argon2id.</summary>
    public bool HasArgon2id { get; init; } = PassphraseDerivation.HasArgon2id;

    /// <summary>Whether a program is in PATH.</summary>
    public Func<string, bool> HasProgram { get; init; } = FindProgram;

    /// <summary>The file that a system makes where an update waits for a restart.</summary>
    public string RestartFile { get; init; } = "/run/reboot-required";

    /// <summary>Where temporary files are.</summary>
    public string TemporaryFolder { get; init; } = Path.GetTempPath();

    /// <summary>The environment variable that names the time zone; null for none.</summary>
    public string? ZoneVariable { get; init; } = OperatingSystem.IsWindows() ? null : Environment.GetEnvironmentVariable("TZ");

    /// <summary>Bytes that are free for this account on the volume of a folder.</summary>
    public Func<string, long> FreeBytes { get; init; } = Machine.Scratch.FreeBytes;

    /// <summary>The values of environment variables that may be secrets, by their names.</summary>
    public IReadOnlyList<string> SecretVariables { get; init; } = FindSecretVariables();

    /// <summary>The processor's kind.</summary>
    public static Architecture Architecture => RuntimeInformation.ProcessArchitecture;

    private static List<string> FindSecretVariables() =>
    [
        .. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Where(variable => _secretNames.Any(name => variable.Key.ToString()!.Contains(name, StringComparison.OrdinalIgnoreCase)))
            .Select(variable => variable.Value?.ToString() ?? "")
            .Where(value => value.Length >= LeastSecret),
    ];

    private static bool FindProgram(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, name + ".exe")));
}
