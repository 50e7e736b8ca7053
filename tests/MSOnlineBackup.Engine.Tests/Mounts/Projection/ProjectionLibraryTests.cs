using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Windows;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Projection;

/// <summary>
/// The calls of ProjectedFSLib.dll against functions that are declared as those of projectedfslib.h, and its callbacks, called as Windows is said to. Not the library itself,
/// which only Windows has.
/// </summary>
public sealed unsafe class ProjectionLibraryTests
{
    private static readonly Guid _id = new("11111111-2222-3333-4444-555555555555");
    private static readonly Guid _stream = new("66666666-7777-8888-9999-aaaaaaaaaaaa");

    [ThreadStatic]
    private static List<string>? _calls;

    // On 64 bits, by the documentation of projectedfslib.h; microsoft/ProjFS-Managed-API declares the same.
    [Fact]
    public void What_Windows_reads_and_writes_lies_where_its_header_says()
    {
        AssertLayout<PrjCallbackData>(96, 0, 4, 8, 16, 20, 36, 56, 64, 72, 80, 88);
        AssertLayout<PrjCallbacks>(64, 0, 8, 16, 24, 32, 40, 48, 56);
        AssertLayout<PrjFileBasicInfo>(56, 0, 8, 16, 24, 32, 40, 48);
        AssertLayout<PrjPlaceholderInfo>(344, 0, 56, 60, 64, 68, 72, 76, 80, 336);
        AssertLayout<PrjNotificationMapping>(16, 0, 8);
        AssertLayout<PrjStartOptions>(32, 0, 4, 8, 16, 24);
        AssertLayout<PrjInstanceInfo>(20, 0, 16);
        Assert.Equal(256, sizeof(PrjVersionInfo));
    }

    [Fact]
    public void Each_call_goes_to_its_function_with_what_it_takes()
    {
        _calls = [];
        var service = new ProjectionService(new ProjectionLibrary(Find));
        Assert.Null(service.FindObstacle());
        Assert.NotNull(new ProjectionService(null).FindObstacle());
        Assert.Equal(0, service.Mark(@"C:\r", _id));
        Assert.Equal(-1, Math.Sign(service.Compare("a", "b")));
        Assert.True(service.IsMatch("a.txt", "*.txt"));
        Assert.False(service.IsPattern("a.txt"));
        Assert.Equal(0, service.StateOf(@"C:\r\a", out ProjectedState state));
        Assert.Equal(ProjectedState.Placeholder | ProjectedState.Hydrated, state);

        Assert.Equal(0, service.Start(@"C:\r", new Noted(), out IProjection? projection));
        using (projection)
        {
            Assert.Equal((_id, 512), (projection!.Instance, projection.Alignment));
            Assert.Equal(0, projection.WriteInfo(@"home\a", new ProjectedInfo(false, 3, 10, 20, FileAttributes.ReadOnly)));
            Assert.Equal(0, projection.WriteData(_stream, [1, 2, 3], 4096));
            Assert.Equal(ProjectionResult.InvalidOperation, projection.Delete(@"home\a"));
        }

        projection.Dispose();
        Assert.Equal(
            [
                $@"mark C:\r {_id}", "compare a b", "match a.txt *.txt", "wildcards a.txt", @"state C:\r\a",
                @"start C:\r 16 8 1 4208 ''",
                // Windows asks while it starts.
                "asked listing '' " + _id, "asked list " + _id + " *.x True", "fill x.x 1 0 10 20 16", "asked info home\\a", "writeinfo 77 home\\a 0 3 1 344",
                "asked data home\\a 512 100", "asked find home\\a", "asked notify home\\a PreDelete", "asked end " + _id, "answers 0 0 0 0 5 0 0",
                @"writeinfo 77 home\a 0 3 1 344", "allocate 77 3", $"writedata 77 {_stream} 010203 4096", "free", @"delete 77 home\a 37", "stop 77",
            ],
            _calls);
    }

    [Fact]
    public void What_is_thrown_does_not_reach_Windows_and_a_start_that_fails_leaves_nothing()
    {
        _calls = [];
        var service = new ProjectionService(new ProjectionLibrary(Find));

        Assert.Equal(ProjectionResult.NotMarked, service.Start(@"C:\other", new Noted(), out IProjection? none));
        Assert.Null(none);
        Assert.Equal(0, service.Start(@"C:\r", new Noted { Bug = new InvalidOperationException() }, out IProjection? projection));
        projection!.Dispose();

        Assert.Contains($"answers {string.Join(' ', Enumerable.Repeat(ProjectionResult.DeviceError & 0xFFFF, 7))}", _calls);
    }

    private static void Note(string call) => _calls!.Add(call);

    private static void AssertLayout<T>(int size, params int[] offsets)
        where T : unmanaged
    {
        Assert.Equal(size, sizeof(T));
        Assert.Equal(
            offsets,
            typeof(T).GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic)
                .OrderBy(field => field.MetadataToken).Select(field => (int)Marshal.OffsetOf<T>(field.Name)));
    }

    private static nint Find(string name) => name switch
    {
        "PrjStartVirtualizing" => (nint)(delegate* unmanaged[Stdcall]<char*, PrjCallbacks*, nint, PrjStartOptions*, nint*, int>)&Start,
        "PrjStopVirtualizing" => (nint)(delegate* unmanaged[Stdcall]<nint, void>)&Stop,
        "PrjMarkDirectoryAsPlaceholder" => (nint)(delegate* unmanaged[Stdcall]<char*, char*, PrjVersionInfo*, Guid*, int>)&Mark,
        "PrjGetVirtualizationInstanceInfo" => (nint)(delegate* unmanaged[Stdcall]<nint, PrjInstanceInfo*, int>)&GetInstance,
        "PrjWritePlaceholderInfo" => (nint)(delegate* unmanaged[Stdcall]<nint, char*, PrjPlaceholderInfo*, uint, int>)&WriteInfo,
        "PrjWriteFileData" => (nint)(delegate* unmanaged[Stdcall]<nint, Guid*, nint, ulong, uint, int>)&WriteData,
        "PrjAllocateAlignedBuffer" => (nint)(delegate* unmanaged[Stdcall]<nint, nuint, nint>)&Allocate,
        "PrjFreeAlignedBuffer" => (nint)(delegate* unmanaged[Stdcall]<nint, void>)&Free,
        "PrjDeleteFile" => (nint)(delegate* unmanaged[Stdcall]<nint, char*, int, int*, int>)&Delete,
        "PrjGetOnDiskFileState" => (nint)(delegate* unmanaged[Stdcall]<char*, int*, int>)&StateOf,
        "PrjFillDirEntryBuffer" => (nint)(delegate* unmanaged[Stdcall]<char*, PrjFileBasicInfo*, nint, int>)&Fill,
        "PrjFileNameCompare" => (nint)(delegate* unmanaged[Stdcall]<char*, char*, int>)&Compare,
        "PrjFileNameMatch" => (nint)(delegate* unmanaged[Stdcall]<char*, char*, byte>)&Match,
        "PrjDoesNameContainWildCards" => (nint)(delegate* unmanaged[Stdcall]<char*, byte>)&HasWildcards,
        _ => throw new EntryPointNotFoundException(name),
    };

    // Asks for everything once, as Windows may before this call is over.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Start(char* root, PrjCallbacks* callbacks, nint instance, PrjStartOptions* options, nint* context)
    {
        if (new string(root) != @"C:\r")
        {
            return ProjectionResult.NotMarked;
        }

        var mapping = (PrjNotificationMapping*)options->Mappings;
        Note($"start {new string(root)} {options->PoolThreadCount} {options->ConcurrentThreadCount} {options->MappingCount} {mapping->Mask} '{new string((char*)mapping->Root)}'");
        *context = 77;
        Guid id = _id;
        int[] answers = new int[7];
        fixed (char* none = "", path = @"home\a", search = "*.x")
        {
            var data = new PrjCallbackData { Size = (uint)sizeof(PrjCallbackData), Flags = 1, Context = 77, Stream = _stream, Path = (nint)none, Instance = instance };
            answers[0] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, int>)callbacks->StartDirectoryEnumeration)(&data, &id);
            answers[1] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, char*, nint, int>)callbacks->GetDirectoryEnumeration)(&data, &id, search, 88);
            data.Path = (nint)path;
            answers[2] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, int>)callbacks->GetPlaceholderInfo)(&data);
            answers[3] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, ulong, uint, int>)callbacks->GetFileData)(&data, 512, 100);
            answers[5] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, int>)callbacks->QueryFileName)(&data);
            answers[4] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, byte, int, char*, nint, int>)callbacks->Notification)(&data, 0, 0x10, null, 0);
            answers[6] = ((delegate* unmanaged[Stdcall]<PrjCallbackData*, Guid*, int>)callbacks->EndDirectoryEnumeration)(&data, &id);
        }

        Note($"answers {string.Join(' ', answers.Select(answer => answer & 0xFFFF))}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static void Stop(nint context) => Note($"stop {context}");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Mark(char* root, char* target, PrjVersionInfo* version, Guid* instance)
    {
        Note($"mark {new string(root)} {*instance}{(target is null && version is null ? null : " and more")}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int GetInstance(nint context, PrjInstanceInfo* info)
    {
        (info->Instance, info->WriteAlignment) = (_id, 512);
        return context == 77 ? 0 : ProjectionResult.InvalidParameter;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int WriteInfo(nint context, char* path, PrjPlaceholderInfo* info, uint size)
    {
        Note($"writeinfo {context} {new string(path)} {info->Basic.IsDirectory} {info->Basic.FileSize} {info->Basic.FileAttributes} {size}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static nint Allocate(nint context, nuint size)
    {
        Note($"allocate {context} {size}");
        return (nint)NativeMemory.Alloc(size);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static void Free(nint buffer)
    {
        Note("free");
        NativeMemory.Free((void*)buffer);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int WriteData(nint context, Guid* stream, nint buffer, ulong offset, uint length)
    {
        Note($"writedata {context} {*stream} {Convert.ToHexString(new ReadOnlySpan<byte>((void*)buffer, (int)length))} {offset}");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Delete(nint context, char* path, int flags, int* cause)
    {
        Note($"delete {context} {new string(path)} {flags}");
        *cause = 2;
        return ProjectionResult.InvalidOperation;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int StateOf(char* path, int* state)
    {
        Note($"state {new string(path)}");
        *state = 3;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Fill(char* name, PrjFileBasicInfo* info, nint entries)
    {
        Note($"fill {new string(name)} {info->IsDirectory} {info->FileSize} {info->CreationTime} {info->LastWriteTime} {info->FileAttributes}");
        return entries == 88 ? 0 : ProjectionResult.InvalidParameter;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static int Compare(char* name, char* other)
    {
        Note($"compare {new string(name)} {new string(other)}");
        return string.CompareOrdinal(new string(name), new string(other));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static byte Match(char* name, char* pattern)
    {
        Note($"match {new string(name)} {new string(pattern)}");
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static byte HasWildcards(char* name)
    {
        Note($"wildcards {new string(name)}");
        return 0;
    }

    private sealed class Noted : IProjectionProvider
    {
        public Exception? Bug { get; init; }

        public int StartListing(string path, Guid session) => Ask($"listing '{path}' {session}");

        public int List(Guid session, string? search, bool isRestarted, IProjectedEntries entries)
        {
            Ask($"list {session} {search} {isRestarted}");
            return entries.Add("x.x", new ProjectedInfo(true, 5, 10, 20, FileAttributes.Directory));
        }

        public int EndListing(Guid session) => Ask($"end {session}");

        public int GetInfo(string path, IProjection projection)
        {
            Ask($"info {path}");
            return projection.WriteInfo(path, new ProjectedInfo(false, 3, 10, 20, FileAttributes.ReadOnly));
        }

        public int Find(string path) => Ask($"find {path}");

        public int GetData(string path, Guid stream, long offset, long length, IProjection projection) => Ask($"data {path} {offset} {length}");

        public int Notify(string path, ProjectionNotice notice)
        {
            Ask($"notify {path} {notice}");
            return ProjectionResult.AccessDenied;
        }

        private int Ask(string question)
        {
            Note($"asked {question}");
            return Bug is null ? 0 : throw Bug;
        }
    }
}
