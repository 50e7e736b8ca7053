using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace MSOnlineBackup.Loader;

/// <summary>
/// Where the module and all it brings live, apart from the session's own assemblies: another module may have loaded another version of
/// the same package. This assembly is the only one of the module in the default context.
/// </summary>
public sealed class ModuleLoadContext : AssemblyLoadContext
{
    private static readonly Lazy<Assembly> _module = new(Load);

    private readonly string _folder;

    private ModuleLoadContext(string name, string folder)
        : base(name, isCollectible: false) => _folder = folder;

    /// <summary>The assembly with the cmdlets; loaded once in a process, however often the module is imported.</summary>
    public static Assembly Module => _module.Value;

    /// <summary>
    /// What lies beside this assembly is the module's. Everything else (the base class library, System.Management.Automation)
    /// is shared with the session, which null asks for.
    /// </summary>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string file = Path.Combine(_folder, assemblyName.Name + ".dll");
        return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
    }

    /// <summary>
    /// Native libraries lie beside the module's assemblies in a package, which is for one platform, and below <c>runtimes/</c> in a build, which is for all.
    /// </summary>
    protected override IntPtr LoadUnmanagedDll(string unmanagedDllName)
    {
        string name = unmanagedDllName + (OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so");
        string? file = Platforms()
            .Select(platform => Path.Combine(_folder, "runtimes", platform, "native", name))
            .Prepend(Path.Combine(_folder, name))
            .FirstOrDefault(File.Exists);
        return file is null ? IntPtr.Zero : LoadUnmanagedDllFromPath(file);
    }

    // As packages name them. A runtime that a distribution built calls itself by that distribution's name.
    private static IEnumerable<string> Platforms()
    {
        string own = RuntimeInformation.RuntimeIdentifier;
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : own.StartsWith("alpine", StringComparison.Ordinal) ? "linux-musl" : "linux";
        return [own, $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}"];
    }

    private static Assembly Load()
    {
        string loader = typeof(ModuleLoadContext).Assembly.Location;
        string name = Path.GetFileNameWithoutExtension(Path.GetFileNameWithoutExtension(loader));
        string folder = Path.GetDirectoryName(loader)!;
        return new ModuleLoadContext(name, folder).LoadFromAssemblyPath(Path.Combine(folder, name + ".dll"));
    }
}
