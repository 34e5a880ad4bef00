using static PvPatch.Engine.Extension.Column;

namespace PvPatch.Engine.Extension;

/// <summary>
/// The columns of every table: ECMA-335, partition II, 22.2 to 22.39 and 24.2.6; from 0x30 on those of the Portable PDB
/// format (dotnet/runtime, docs/design/specs/PortablePdb-Metadata.md).
/// </summary>
internal static class TableColumns
{
    /// <summary>A coded row number (24.2.6).</summary>
    public static readonly Row
        TypeDefOrRef = new(2, 0x02, 0x01, 0x1B),
        HasCustomAttribute = new(5, 0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0A, 0x00, 0x0E, 0x17, 0x14, 0x11, 0x1A, 0x1B, 0x20, 0x23, 0x26, 0x27, 0x28, 0x2A, 0x2C, 0x2B),
        MemberRefParent = new(3, 0x02, 0x01, 0x1A, 0x06, 0x1B),
        CustomAttributeType = new(3, -1, -1, 0x06, 0x0A),
        MethodDefOrRef = new(1, 0x06, 0x0A),
        ResolutionScope = new(2, 0x00, 0x1A, 0x23, 0x01);

    private static readonly Row
        HasConstant = new(2, 0x04, 0x08, 0x17),
        HasFieldMarshal = new(1, 0x04, 0x08),
        HasDeclSecurity = new(2, 0x02, 0x06, 0x20),
        HasSemantics = new(1, 0x14, 0x17),
        MemberForwarded = new(1, 0x04, 0x06),
        Implementation = new(2, 0x26, 0x23, 0x27),
        TypeOrMethodDef = new(1, 0x02, 0x06),
        HasCustomDebugInformation = new(5, [.. HasCustomAttribute.Tables, 0x30, 0x32, 0x33, 0x34, 0x35]);

    private static readonly Number U2 = new(2), U4 = new(4);
    private static readonly Heap Text = new(1), Guid = new(2), Blob = new(4);

    private static readonly Dictionary<int, Column[]> Known = new()
    {
        [0x00] = [U2, Text, Guid, Guid, Guid],                              // Module
        [0x01] = [ResolutionScope, Text, Text],                             // TypeRef
        [0x02] = [U4, Text, Text, TypeDefOrRef, In(0x04), In(0x06)],        // TypeDef
        [0x03] = [In(0x04)],                                                // FieldPtr
        [0x04] = [U2, Text, Blob],                                          // Field
        [0x05] = [In(0x06)],                                                // MethodPtr
        [0x06] = [U4, U2, U2, Text, Blob, In(0x08)],                        // MethodDef
        [0x07] = [In(0x08)],                                                // ParamPtr
        [0x08] = [U2, U2, Text],                                            // Param
        [0x09] = [In(0x02), TypeDefOrRef],                                  // InterfaceImpl
        [0x0A] = [MemberRefParent, Text, Blob],                             // MemberRef
        [0x0B] = [U2, HasConstant, Blob],                                   // Constant
        [0x0C] = [HasCustomAttribute, CustomAttributeType, Blob],           // CustomAttribute
        [0x0D] = [HasFieldMarshal, Blob],                                   // FieldMarshal
        [0x0E] = [U2, HasDeclSecurity, Blob],                               // DeclSecurity
        [0x0F] = [U2, U4, In(0x02)],                                        // ClassLayout
        [0x10] = [U4, In(0x04)],                                            // FieldLayout
        [0x11] = [Blob],                                                    // StandAloneSig
        [0x12] = [In(0x02), In(0x14)],                                      // EventMap
        [0x13] = [In(0x14)],                                                // EventPtr
        [0x14] = [U2, Text, TypeDefOrRef],                                  // Event
        [0x15] = [In(0x02), In(0x17)],                                      // PropertyMap
        [0x16] = [In(0x17)],                                                // PropertyPtr
        [0x17] = [U2, Text, Blob],                                          // Property
        [0x18] = [U2, In(0x06), HasSemantics],                              // MethodSemantics
        [0x19] = [In(0x02), MethodDefOrRef, MethodDefOrRef],                // MethodImpl
        [0x1A] = [Text],                                                    // ModuleRef
        [0x1B] = [Blob],                                                    // TypeSpec
        [0x1C] = [U2, MemberForwarded, Text, In(0x1A)],                     // ImplMap
        [0x1D] = [U4, In(0x04)],                                            // FieldRVA
        [0x1E] = [U4, U4],                                                  // EncLog
        [0x1F] = [U4],                                                      // EncMap
        [0x20] = [U4, U2, U2, U2, U2, U4, Blob, Text, Text],                // Assembly
        [0x21] = [U4],                                                      // AssemblyProcessor
        [0x22] = [U4, U4, U4],                                              // AssemblyOS
        [0x23] = [U2, U2, U2, U2, U4, Blob, Text, Text, Blob],              // AssemblyRef
        [0x24] = [U4, In(0x23)],                                            // AssemblyRefProcessor
        [0x25] = [U4, U4, U4, In(0x23)],                                    // AssemblyRefOS
        [0x26] = [U4, Text, Blob],                                          // File
        [0x27] = [U4, U4, Text, Text, Implementation],                      // ExportedType
        [0x28] = [U4, U4, Text, Implementation],                            // ManifestResource
        [0x29] = [In(0x02), In(0x02)],                                      // NestedClass
        [0x2A] = [U2, U2, TypeOrMethodDef, Text],                           // GenericParam
        [0x2B] = [MethodDefOrRef, Blob],                                    // MethodSpec
        [0x2C] = [In(0x2A), TypeDefOrRef],                                  // GenericParamConstraint
        [0x30] = [Blob, Guid, Blob, Guid],                                  // Document
        [0x31] = [In(0x30), Blob],                                          // MethodDebugInformation
        [0x32] = [In(0x06), In(0x35), In(0x33), In(0x34), U4, U4],          // LocalScope
        [0x33] = [U2, U2, Text],                                            // LocalVariable
        [0x34] = [Text, Blob],                                              // LocalConstant
        [0x35] = [In(0x35), Blob],                                          // ImportScope
        [0x36] = [In(0x06), In(0x06)],                                      // StateMachineMethod
        [0x37] = [HasCustomDebugInformation, Guid, Blob],                   // CustomDebugInformation
    };

    /// <summary>The columns of a table; <see langword="null"/> for a number that no table has.</summary>
    public static IReadOnlyList<Column>? Of(int table) => Known.GetValueOrDefault(table);

    private static Row In(int table) => new(0, table);
}
