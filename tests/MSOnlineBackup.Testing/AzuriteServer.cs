using System.Diagnostics;

namespace MSOnlineBackup.Testing;

/// <summary>
/// Azurite, the emulator of Blob Storage: one for each test process, started when the first test asks for it. It ends with the pipe
/// to this process, so it is gone even where the process is killed.
/// </summary>
public sealed class AzuriteServer
{
    /// <summary>The emulator's account, the same everywhere; its key is public.</summary>
    public const string Account = "devstoreaccount1";

    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public const string Missing = "needs Azurite, the emulator of Blob Storage, and so node, npm and bash";

    private const string Listening = "successfully listens on ";

    private static readonly Lazy<AzuriteServer> _shared = new(Start);

    private readonly Process _process;

    private AzuriteServer(Process process, string url)
    {
        _process = process;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => _process.Kill();
        Url = $"{url}/{Account}";
    }

    /// <summary>Whether it can be started here.</summary>
    public static bool IsAvailable { get; } = IsProgram("node") && IsProgram("npm") && IsProgram("bash");

    /// <summary>The one of this test process.</summary>
    public static AzuriteServer Shared => _shared.Value;

    /// <summary>The account's URL, without a slash at its end.</summary>
    public string Url { get; }

    /// <summary>What Azure's tools take instead of a URL and a key.</summary>
    public string ConnectionString => $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={Url};";

    /// <summary>The URL of a container that nobody has named yet; it does not exist.</summary>
    public string NewContainer() => $"{Url}/vault-{Guid.NewGuid():N}";

    private static AzuriteServer Start()
    {
        string script = Path.Combine(Repository.Root, "tests", "azurite", "start.sh");
        var start = new ProcessStartInfo("bash", [script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{script}' did not start.");
        while (process.StandardOutput.ReadLine() is string line)
        {
            int found = line.IndexOf(Listening, StringComparison.Ordinal);
            if (found >= 0)
            {
                // Whatever else it says is read, so that it never waits for a reader.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new AzuriteServer(process, line[(found + Listening.Length)..]);
            }
        }

        process.WaitForExit();
        throw new InvalidOperationException($"Azurite ended with {process.ExitCode} before it listened.");
    }

    private static bool IsProgram(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, name)));
}
