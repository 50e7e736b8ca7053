using System.Reflection;
using System.Runtime.Loader;

namespace MSOnlineBackup.Loader;

/// <summary>
/// Where the module and all it brings live, apart from the session's own assemblies: another module may have loaded another version of
/// the same package. This assembly is the only one of the module in the default context.
/// </summary>
public sealed class ModuleLoadContext : AssemblyLoadContext
{
    private static readonly Lazy<Assembly> s_module = new(Load);

    private readonly string _folder;

    private ModuleLoadContext(string name, string folder)
        : base(name, isCollectible: false) => _folder = folder;

    /// <summary>The assembly with the cmdlets; loaded once in a process, however often the module is imported.</summary>
    public static Assembly Module => s_module.Value;

    /// <summary>
    /// What lies beside this assembly is the module's. Everything else (the base class library, System.Management.Automation)
    /// is shared with the session, which null asks for.
    /// </summary>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string file = Path.Combine(_folder, assemblyName.Name + ".dll");
        return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
    }

    private static Assembly Load()
    {
        string loader = typeof(ModuleLoadContext).Assembly.Location;
        string name = Path.GetFileNameWithoutExtension(Path.GetFileNameWithoutExtension(loader));
        string folder = Path.GetDirectoryName(loader)!;
        return new ModuleLoadContext(name, folder).LoadFromAssemblyPath(Path.Combine(folder, name + ".dll"));
    }
}
