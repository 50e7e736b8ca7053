using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>The functions of ProjectedFSLib.dll, which is there where the feature Client-ProjFS of Windows is.</summary>
/// <param name="find">The address of a function.</param>
internal sealed unsafe class ProjectionLibrary(Func<string, nint> find)
{
    // PRJ_UPDATE_ALLOW_DIRTY_METADATA, _TOMBSTONE and _READ_ONLY. Never _DIRTY_DATA: what somebody has written is theirs.
    private const int Deletable = 0x1 | 0x4 | 0x20;

    private const string Name = "ProjectedFSLib.dll";

    private readonly nint _start = find("PrjStartVirtualizing");
    private readonly nint _stop = find("PrjStopVirtualizing");
    private readonly nint _mark = find("PrjMarkDirectoryAsPlaceholder");
    private readonly nint _instance = find("PrjGetVirtualizationInstanceInfo");
    private readonly nint _writeInfo = find("PrjWritePlaceholderInfo");
    private readonly nint _writeData = find("PrjWriteFileData");
    private readonly nint _allocate = find("PrjAllocateAlignedBuffer");
    private readonly nint _free = find("PrjFreeAlignedBuffer");
    private readonly nint _delete = find("PrjDeleteFile");
    private readonly nint _state = find("PrjGetOnDiskFileState");
    private readonly nint _fill = find("PrjFillDirEntryBuffer");
    private readonly nint _compare = find("PrjFileNameCompare");
    private readonly nint _match = find("PrjFileNameMatch");
    private readonly nint _isPattern = find("PrjDoesNameContainWildCards");

    /// <summary>That of this machine; null where it has none.</summary>
    public static ProjectionLibrary? Load() =>
        OperatingSystem.IsWindows() && NativeLibrary.TryLoad(Name, typeof(ProjectionLibrary).Assembly, DllImportSearchPath.System32, out nint library)
            ? new ProjectionLibrary(name => NativeLibrary.GetExport(library, name))
            : null;

    public int Start(string root, PrjCallbacks* callbacks, nint instance, PrjStartOptions* options, nint* context)
    {
        fixed (char* path = root)
        {
            return ((delegate* unmanaged[Stdcall]<char*, PrjCallbacks*, nint, PrjStartOptions*, nint*, int>)_start)(path, callbacks, instance, options, context);
        }
    }

    public void Stop(nint context) => ((delegate* unmanaged[Stdcall]<nint, void>)_stop)(context);

    public int Mark(string root, Guid instance)
    {
        fixed (char* path = root)
        {
            return ((delegate* unmanaged[Stdcall]<char*, char*, PrjVersionInfo*, Guid*, int>)_mark)(path, null, null, &instance);
        }
    }

    public int GetInstance(nint context, PrjInstanceInfo* info) => ((delegate* unmanaged[Stdcall]<nint, PrjInstanceInfo*, int>)_instance)(context, info);

    public int WriteInfo(nint context, string path, PrjPlaceholderInfo* info)
    {
        fixed (char* name = path)
        {
            return ((delegate* unmanaged[Stdcall]<nint, char*, PrjPlaceholderInfo*, uint, int>)_writeInfo)(context, name, info, (uint)sizeof(PrjPlaceholderInfo));
        }
    }

    /// <summary>Copies the bytes to where the device can have them from, and writes them.</summary>
    public int WriteData(nint context, Guid stream, ReadOnlySpan<byte> content, long offset)
    {
        nint buffer = ((delegate* unmanaged[Stdcall]<nint, nuint, nint>)_allocate)(context, (nuint)content.Length);
        if (buffer == 0)
        {
            return ProjectionResult.OutOfMemory;
        }

        try
        {
            content.CopyTo(new Span<byte>((void*)buffer, content.Length));
            return ((delegate* unmanaged[Stdcall]<nint, Guid*, nint, ulong, uint, int>)_writeData)(context, &stream, buffer, (ulong)offset, (uint)content.Length);
        }
        finally
        {
            ((delegate* unmanaged[Stdcall]<nint, void>)_free)(buffer);
        }
    }

    public int Delete(nint context, string path)
    {
        int cause;
        fixed (char* name = path)
        {
            return ((delegate* unmanaged[Stdcall]<nint, char*, int, int*, int>)_delete)(context, name, Deletable, &cause);
        }
    }

    public int StateOf(string path, int* state)
    {
        fixed (char* name = path)
        {
            return ((delegate* unmanaged[Stdcall]<char*, int*, int>)_state)(name, state);
        }
    }

    public int Fill(string name, PrjFileBasicInfo* info, nint entries)
    {
        fixed (char* text = name)
        {
            return ((delegate* unmanaged[Stdcall]<char*, PrjFileBasicInfo*, nint, int>)_fill)(text, info, entries);
        }
    }

    public int Compare(string name, string other)
    {
        fixed (char* one = name, two = other)
        {
            return ((delegate* unmanaged[Stdcall]<char*, char*, int>)_compare)(one, two);
        }
    }

    public bool IsMatch(string name, string pattern)
    {
        fixed (char* one = name, two = pattern)
        {
            return ((delegate* unmanaged[Stdcall]<char*, char*, byte>)_match)(one, two) != 0;
        }
    }

    public bool IsPattern(string text)
    {
        fixed (char* one = text)
        {
            return ((delegate* unmanaged[Stdcall]<char*, byte>)_isPattern)(one) != 0;
        }
    }
}
