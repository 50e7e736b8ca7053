using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.AccessControl;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>That of this machine.</summary>
/// <param name="library">The library; null where there is none.</param>
internal sealed unsafe class ProjectionService(ProjectionLibrary? library) : IProjectionService
{
    private const uint Refusable =
        (uint)(ProjectionNotice.PreDelete | ProjectionNotice.PreRename | ProjectionNotice.PreSetHardLink | ProjectionNotice.PreConvertToFull);

    private const uint Threads = 8;

    private ProjectionLibrary Library => library ?? throw new PlatformNotSupportedException();

    /// <inheritdoc/>
    public string? FindObstacle() => library is null ? "The feature Client-ProjFS of Windows is not there." : null;

    /// <inheritdoc/>
    public int Compare(string name, string other) => Library.Compare(name, other);

    /// <inheritdoc/>
    public bool IsMatch(string name, string pattern) => Library.IsMatch(name, pattern);

    /// <inheritdoc/>
    public bool IsPattern(string text) => Library.IsPattern(text);

    /// <inheritdoc/>
    public int Mark(string root, Guid instance) => Library.Mark(root, instance);

    /// <inheritdoc/>
    public int Start(string root, IProjectionProvider provider, out IProjection? projection)
    {
        projection = null;
        var asked = GCHandle.Alloc(new ProjectionCallbacks(Library, provider));
        PrjCallbacks callbacks = ProjectionCallbacks.Table;
        nint context = 0;
        int result;
        fixed (char* whole = "")
        {
            var mapping = new PrjNotificationMapping { Mask = Refusable, Root = (nint)whole };
            var options = new PrjStartOptions { PoolThreadCount = 2 * Threads, ConcurrentThreadCount = Threads, Mappings = (nint)(&mapping), MappingCount = 1 };
            result = Library.Start(root, &callbacks, GCHandle.ToIntPtr(asked), &options, &context);
        }

        if (result < 0)
        {
            asked.Free();
            return result;
        }

        projection = new Projection(Library, context, asked.Free);
        return result;
    }

    /// <inheritdoc/>
    public int StateOf(string path, out ProjectedState state)
    {
        int told = 0;
        int result = Library.StateOf(path, &told);
        state = (ProjectedState)told;
        return result;
    }

    /// <inheritdoc/>
    public void MakeFolder(string path, bool isForAll)
    {
        if (isForAll || !OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else if (!Directory.Exists(path))
        {
            MakePrivate(path);
        }
    }

    /// <inheritdoc/>
    public void Renew(string root)
    {
        if (OperatingSystem.IsWindows())
        {
            RenewOnWindows(root);
            return;
        }

        Directory.Delete(root);
        Directory.CreateDirectory(root);
    }

    [SupportedOSPlatform("windows")]
    private static void MakePrivate(string path)
    {
        // SYSTEM, administrators, and who made it; nothing inherited.
        var security = new DirectorySecurity();
        security.SetSecurityDescriptorSddlForm("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;CO)");
        security.CreateDirectory(path);
    }

    [SupportedOSPlatform("windows")]
    private static void RenewOnWindows(string root)
    {
        // What it inherits is inherited again.
        DirectorySecurity had = new DirectoryInfo(root).GetAccessControl(AccessControlSections.Access);
        var security = new DirectorySecurity();
        security.SetSecurityDescriptorSddlForm(had.GetSecurityDescriptorSddlForm(AccessControlSections.Access), AccessControlSections.Access);
        Directory.Delete(root);
        security.CreateDirectory(root);
    }
}
