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
    private static readonly Lazy<ModuleLoadContext> _instance = new(() => new ModuleLoadContext());
    private static readonly Lazy<Assembly> _module = new(() => _instance.Value.LoadFromAssemblyName(new AssemblyName(_instance.Value.Name!)));

    private readonly string _folder;
    private readonly string _runtime;

    private ModuleLoadContext()
        : base("MSOnlineBackup", isCollectible: false)
    {
        _folder = Path.GetDirectoryName(typeof(ModuleLoadContext).Assembly.Location)!;
        _runtime = Path.Combine(_folder, "runtimes", Platform());
    }

    /// <summary>The assembly with the cmdlets; loaded once in a process, however often the module is imported.</summary>
    public static Assembly Module => _module.Value;

    /// <summary>Runs <c>obengine</c> in this process, to its end.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its exit code.</returns>
    public static int Run(string[] arguments) =>
        (int)_instance.Value.LoadFromAssemblyName(new AssemblyName("obengine")).EntryPoint!.Invoke(null, [arguments])!;

    /// <summary>
    /// The module's is what lies beside this assembly, for every platform, and below <c>runtimes/</c>, compiled ahead for one. Everything else
    /// (the base class library, System.Management.Automation) is shared with the session, which null asks for.
    /// </summary>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string name = assemblyName.Name + ".dll";
        string compiled = Path.Combine(_runtime, "lib", name);
        string file = File.Exists(compiled) ? compiled : Path.Combine(_folder, name);
        return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
    }

    /// <summary>Native libraries lie below <c>runtimes/</c>.</summary>
    protected override IntPtr LoadUnmanagedDll(string unmanagedDllName)
    {
        string name = unmanagedDllName + (OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so");
        string file = Path.Combine(_runtime, "native", name);
        return File.Exists(file) ? LoadUnmanagedDllFromPath(file) : IntPtr.Zero;
    }

    // As packages name it, whatever a distribution that has built the runtime itself calls it.
    private static string Platform()
    {
        string own = RuntimeInformation.RuntimeIdentifier;
        bool isMusl = own.StartsWith("alpine", StringComparison.Ordinal) || own.StartsWith("linux-musl", StringComparison.Ordinal);
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : isMusl ? "linux-musl" : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

}
