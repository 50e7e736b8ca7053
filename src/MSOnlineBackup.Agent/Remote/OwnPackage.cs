using System.Runtime.InteropServices;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>
/// This installation as a package for machines of the same platform: the files of obengine, and the .NET that they run on, so that the machine needs none.
/// </summary>
internal static class OwnPackage
{
    private const string Framework = "Microsoft.NETCore.App";
    private const string Assembly = "obengine.dll";
    private const string Configuration = "obengine.runtimeconfig.json";

    // Of the module alone: they need PowerShell.
    private static readonly string[] _ofModule = ["MSOnlineBackup.dll", "MSOnlineBackup.Loader.dll"];

    // It may be reached by links, one after the other.
    private const string Launcher =
        """
        #!/bin/sh
        self=$0
        while [ -h "$self" ]; do
          to=$(readlink "$self")
          case $to in /*) self=$to ;; *) self=${self%/*}/$to ;; esac
        done
        here=${self%/*}
        exec "$here/runtime/dotnet" "$here/app/obengine.dll" "$@"

        """;

    /// <summary>This machine's platform, as .NET calls it; null where no agent can be put on one of its kind.</summary>
    public static string? Platform
    {
        get
        {
            string? system = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "osx" : null;
            bool isMusl = RuntimeInformation.RuntimeIdentifier is var own && (own.Contains("musl", StringComparison.Ordinal) || own.StartsWith("alpine", StringComparison.Ordinal));
            return system is null ? null : $"{system}{(isMusl ? "-musl" : "")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }

    /// <summary>The folder of this installation's obengine; null where it is not of files.</summary>
    public static string? FindFolder()
    {
        // The module has some of its assemblies in folders below, compiled for one platform.
        string? folder = Path.GetDirectoryName(typeof(OwnPackage).Assembly.Location);
        for (int above = 0; above <= 4 && !string.IsNullOrEmpty(folder); above++, folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, Assembly)))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>Whether a folder of obengine was published for a platform, so that it has all that it needs.</summary>
    public static bool IsPublished(string folder) => File.Exists(Path.Combine(folder, AgentPackage.Program)) && File.Exists(Path.Combine(folder, "System.Private.CoreLib.dll"));

    /// <summary>Puts it together.</summary>
    /// <param name="program">The folder of obengine.</param>
    /// <param name="runtime">The folder of a .NET: with <c>dotnet</c>, <c>host</c> and <c>shared</c>.</param>
    /// <param name="platform">What both run on.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PackageInvalid.</exception>
    public static async Task<AgentPackage> ReadAsync(string program, string runtime, string platform, CancellationToken cancellationToken)
    {
        try
        {
            var files = new List<AgentFile> { AgentFile.Of(AgentPackage.Program, Encoding.UTF8.GetBytes(Launcher.ReplaceLineEndings("\n")), isProgram: true) };
            foreach (string path in Directory.EnumerateFiles(program, "*.dll").Where(path => !_ofModule.Contains(Path.GetFileName(path))))
            {
                await AddAsync($"app/{Path.GetFileName(path)}", path).ConfigureAwait(false);
            }

            foreach (string name in (string[])[Configuration, "prices.json"])
            {
                await AddAsync($"app/{name}", Path.Combine(program, name)).ConfigureAwait(false);
            }

            // Beside the assemblies they are found without a list of what obengine depends on.
            string native = Path.Combine(program, "runtimes", platform, "native");
            foreach (string path in Directory.Exists(native) ? Directory.EnumerateFiles(native) : [])
            {
                await AddAsync($"app/{Path.GetFileName(path)}", path).ConfigureAwait(false);
            }

            (string framework, string resolver) = PartsOf(runtime);
            await AddAsync("runtime/dotnet", Path.Combine(runtime, "dotnet"), isProgram: true).ConfigureAwait(false);
            foreach (string path in new[] { framework, resolver }.SelectMany(folder => Directory.EnumerateFiles(folder)))
            {
                await AddAsync($"runtime/{Path.GetRelativePath(runtime, path).Replace('\\', '/')}", path).ConfigureAwait(false);
            }

            return new AgentPackage(platform, Product.Version, files);

            async Task AddAsync(string path, string source, bool isProgram = false) => files.Add(AgentPackage.IsPlain(path)
                ? await AgentFile.OfAsync(path, source, isProgram, cancellationToken).ConfigureAwait(false)
                : throw RemoteErrors.Package(program, $"its file '{source}' is none of obengine's"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RemoteErrors.Package(program, $"this installation cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>The .NET that this program runs on, or else one of the same major version that is installed here; null where there is none.</summary>
    /// <remarks>A PowerShell or an obengine that brings its runtime along has none that another program can be started with.</remarks>
    public static string? FindRuntime()
    {
        string? named = Environment.GetEnvironmentVariable("DOTNET_ROOT");
        IEnumerable<string?> places =
        [
            Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")),
            named,
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(FolderOfProgram),
            "/usr/share/dotnet",
            "/usr/lib/dotnet",
            "/usr/local/share/dotnet",
        ];
        return places.FirstOrDefault(place => place is not null && Path.IsPathFullyQualified(place) && File.Exists(Path.Combine(place, "dotnet")) && Newest(Path.Combine(place, "shared", Framework)) is not null
            && Newest(Path.Combine(place, "host", "fxr")) is not null);
    }

    // What PATH has is often a link.
    private static string? FolderOfProgram(string folder)
    {
        string program = Path.Combine(folder, "dotnet");
        return !File.Exists(program) ? null : Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program);
    }

    private static (string Framework, string Resolver) PartsOf(string runtime)
    {
        string running = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        string frameworks = Path.Combine(runtime, "shared", Framework);
        return (Path.GetDirectoryName(running) == frameworks ? running : Newest(frameworks)!, Newest(Path.Combine(runtime, "host", "fxr"))!);
    }

    // Of the major version that this program was built for; previews are none.
    private static string? Newest(string folder) => !Directory.Exists(folder) ? null : Directory.EnumerateDirectories(folder)
        .Select(path => (Path: path, Number: Version.TryParse(Path.GetFileName(path), out Version? number) ? number : null))
        .Where(found => found.Number?.Major == Environment.Version.Major)
        .OrderByDescending(found => found.Number)
        .Select(found => found.Path)
        .FirstOrDefault();
}
