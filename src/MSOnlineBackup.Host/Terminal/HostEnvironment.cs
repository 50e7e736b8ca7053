using System.Text;
using MSOnlineBackup.Platform.Machine;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>What the process is given from outside: the one place that touches the console and the environment.</summary>
internal sealed record HostEnvironment
{
    /// <summary>Results go here.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Standard output as bytes, for what is no text: <see cref="OutputFault"/> tells of it as well.</summary>
    public Stream OutputBytes { get; init; } = Stream.Null;

    /// <summary>Whether nobody reads standard output any more.</summary>
    public Func<bool> OutputIsUnread { get; init; } = () => false;

    /// <summary>Progress, notes and errors go here.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What has kept results from being written; null where nothing has.</summary>
    public Func<Exception?> OutputFault { get; init; } = () => null;

    /// <summary>What has kept progress, notes and errors from being written; null where nothing has.</summary>
    public Func<Exception?> ErrorFault { get; init; } = () => null;

    /// <summary>Whether a person sees <see cref="Error"/> as it is written.</summary>
    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Opens standard input as bytes; null where it is a terminal.</summary>
    public required Func<Stream>? OpenInput { get; init; }

    /// <summary>Asks a person for a line without showing it; null where nobody can be asked.</summary>
    public required Func<string, CancellationToken, Task<string>>? AskHidden { get; init; }

    /// <summary>Reads an environment variable; null where it is not set, or empty.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>The clock and the local time zone.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The name of this machine.</summary>
    public required string MachineName { get; init; }

    /// <summary>Where temporary folders are made.</summary>
    public required string TemporaryFolder { get; init; }

    /// <summary>Where this account keeps its configuration; empty where it has no such place.</summary>
    public required string ConfigurationFolder { get; init; }

    /// <summary>Where this account keeps what can be had again; null where it has no such place.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>How this program is started again: an executable, and arguments before the command.</summary>
    public IReadOnlyList<string> Program { get; init; } = [];

    /// <summary>Whether arguments come as Windows gives them: as one text, which the program itself takes apart.</summary>
    public bool IsWindows { get; init; } = OperatingSystem.IsWindows();

    /// <summary>The process's own.</summary>
    public static HostEnvironment OfProcess()
    {
        if (OperatingSystem.IsWindows())
        {
            Console.OutputEncoding = Encoding.UTF8;
        }

        bool inputIsTerminal = !Console.IsInputRedirected;
        bool errorIsTerminal = !Console.IsErrorRedirected;
        var output = new ForgivingStream(Console.OpenStandardOutput, descriptor: 1);
        var error = new ForgivingStream(Console.OpenStandardError, descriptor: 2);
        return new HostEnvironment
        {
            Output = Writer(output, autoFlush: !Console.IsOutputRedirected),
            Error = Writer(error, autoFlush: true),
            OutputBytes = output,
            OutputIsUnread = () => StandardStream.IsReaderGone(1),
            OutputFault = () => output.Fault,
            ErrorFault = () => error.Fault,
            ErrorIsTerminal = errorIsTerminal,
            OpenInput = inputIsTerminal ? null : Console.OpenStandardInput,
            AskHidden = inputIsTerminal && errorIsTerminal ? HiddenPrompt.AskAsync : null,
            Variable = name => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null,
            MachineName = HostName.Current,
            TemporaryFolder = Path.GetTempPath(),
            ConfigurationFolder = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            CacheFolder = FindCacheFolder(),
            Program = OwnProgram.Find(),
        };
    }

    private static string? FindCacheFolder()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        string? folder = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } chosen && Path.IsPathRooted(chosen) ? chosen
            : home.Length == 0 ? null
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Path.Combine(home, ".cache");
        return string.IsNullOrEmpty(folder) ? null : Path.Combine(folder, "MSOnlineBackup", "index");
    }

    // Listings may be millions of lines: only what a person watches is written line by line.
    private static StreamWriter Writer(Stream stream, bool autoFlush) =>
        new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 16 * 1024) { AutoFlush = autoFlush };
}
