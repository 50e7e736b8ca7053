using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>What Windows calls, and whom it asks by that. Nothing that is thrown may reach Windows.</summary>
/// <param name="library">The library.</param>
/// <param name="provider">Whoever has what is shown.</param>
internal sealed unsafe class ProjectionCallbacks(ProjectionLibrary library, IProjectionProvider provider)
{
    // PRJ_CB_DATA_FLAG_ENUM_RESTART_SCAN.
    private const uint Restart = 1;

    private readonly ProjectionLibrary _library = library;
    private readonly IProjectionProvider _provider = provider;

    /// <summary>The table that Windows gets. Each of them finds its object by the instance that comes with the call.</summary>
    public static PrjCallbacks Table => new()
    {
        StartDirectoryEnumeration = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, int>)&StartListing,
        EndDirectoryEnumeration = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, int>)&EndListing,
        GetDirectoryEnumeration = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, char*, nint, int>)&List,
        GetPlaceholderInfo = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, int>)&GetInfo,
        GetFileData = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, ulong, uint, int>)&GetData,
        QueryFileName = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, int>)&Find,
        Notification = (nint)(delegate* unmanaged[Stdcall]<PrjCallbackData*, byte, int, char*, nint, int>)&Notify,
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int StartListing(PrjCallbackData* data, Guid* session)
    {
        (string path, Guid id) = (PathOf(data), *session);
        return Ask(data, (provider, _) => provider.StartListing(path, id));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int EndListing(PrjCallbackData* data, Guid* session)
    {
        Guid id = *session;
        return Ask(data, (provider, _) => provider.EndListing(id));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int List(PrjCallbackData* data, Guid* session, char* search, nint entries)
    {
        (Guid id, string? wanted, bool isRestarted, ProjectionLibrary library) = (*session, search is null ? null : new string(search), (data->Flags & Restart) != 0, Of(data)._library);
        return Ask(data, (provider, _) => provider.List(id, wanted, isRestarted, new Entries(library, entries)));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int GetInfo(PrjCallbackData* data)
    {
        string path = PathOf(data);
        return Ask(data, (provider, projection) => provider.GetInfo(path, projection));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int GetData(PrjCallbackData* data, ulong offset, uint length)
    {
        (string path, Guid stream) = (PathOf(data), data->Stream);
        return Ask(data, (provider, projection) => provider.GetData(path, stream, (long)offset, length, projection));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Find(PrjCallbackData* data)
    {
        string path = PathOf(data);
        return Ask(data, (provider, _) => provider.Find(path));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Notify(PrjCallbackData* data, byte isFolder, int notice, char* target, nint parameters)
    {
        string path = PathOf(data);
        return Ask(data, (provider, _) => provider.Notify(path, (ProjectionNotice)notice));
    }

    private static ProjectionCallbacks Of(PrjCallbackData* data) => (ProjectionCallbacks)GCHandle.FromIntPtr(data->Instance).Target!;

    private static string PathOf(PrjCallbackData* data) => data->Path == 0 ? string.Empty : new string((char*)data->Path);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "What is thrown through Windows ends the process; a bug fails one request.")]
    private static int Ask(PrjCallbackData* data, Func<IProjectionProvider, IProjection, int> ask)
    {
        try
        {
            ProjectionCallbacks callbacks = Of(data);
            return ask(callbacks._provider, new Projection(callbacks._library, data->Context));
        }
        catch (Exception)
        {
            // Providers tell of what goes wrong in them. This is what they could not answer.
            return ProjectionResult.DeviceError;
        }
    }

    private sealed class Entries(ProjectionLibrary library, nint buffer) : IProjectedEntries
    {
        public int Add(string name, in ProjectedInfo info)
        {
            PrjFileBasicInfo basic = PrjFileBasicInfo.Of(info);
            return library.Fill(name, &basic, buffer);
        }
    }
}
